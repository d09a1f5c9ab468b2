/** The page of `ccpark ui`: its address after `#` says what is shown, so that it can be kept and sent. */
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { placeOf, useHash } from "./address.ts";
import { address, type Overview, type Run, useJson } from "./api.ts";
import { ComparePage } from "./compare.tsx";
import { OverviewPage } from "./overview.tsx";
import type { Theme } from "./parts.tsx";
import { RunPage } from "./run.tsx";
import "./page.css";

const darkQuery = matchMedia("(prefers-color-scheme: dark)");

const THEME_KEY = "ccpark.theme";

/** Undefined: none was chosen, or the browser keeps nothing for pages. */
function chosenTheme(): Theme | undefined {
  try {
    const kept = localStorage.getItem(THEME_KEY);
    return kept === "dark" || kept === "light" ? kept : undefined;
  } catch {
    return undefined;
  }
}

function keepTheme(theme: Theme): void {
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // it lasts until the page is left
  }
}

/** That of the system until one is chosen. */
function useTheme(): [Theme, () => void] {
  const systemTheme = (): Theme => (darkQuery.matches ? "dark" : "light");
  const [theme, setTheme] = useState<Theme>(chosenTheme() ?? systemTheme());
  useEffect(() => {
    const follow = (): void => setTheme(chosenTheme() ?? systemTheme());
    darkQuery.addEventListener("change", follow);
    return () => darkQuery.removeEventListener("change", follow);
  }, []);
  document.documentElement.dataset["theme"] = theme;
  const switchTheme = (): void => {
    const other = theme === "dark" ? "light" : "dark";
    keepTheme(other);
    setTheme(other);
  };
  return [theme, switchTheme];
}

const runAddress = (id: string | undefined): string | undefined =>
  id === undefined ? undefined : address("/api/run", { id });

const FIRST_TITLE = "League and runs";

/** Of the browser's tab, its history and its bookmarks. */
function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} – ccpark`;
  }, [title]);
}

function Failure({ error, isOverview }: { readonly error: string; readonly isOverview: boolean }) {
  const text = error.replace(/^\[\w+\] /, "");
  return (
    <main>
      <h2>Nothing to show</h2>
      <p class="error" role="alert">
        {text.slice(0, 1).toUpperCase() + text.slice(1)}.
      </p>
      {!isOverview && (
        <p>
          Its folder may have been moved or removed. <a href="#/">All runs</a> that are there now.
        </p>
      )}
    </main>
  );
}

function Page({ hash, theme }: { readonly hash: string; readonly theme: Theme }) {
  const { page, ids } = placeOf(hash);
  const [first, second] = ids;
  const isOverview = page !== "run" && page !== "compare";
  const overview = useJson<Overview>(isOverview ? "/api/overview" : undefined);
  const a = useJson<Run>(isOverview ? undefined : runAddress(first));
  const b = useJson<Run>(page === "compare" ? runAddress(second) : undefined);
  const error = overview.error ?? a.error ?? b.error;
  const names = [a, b].flatMap(({ value }) => value?.entry.name ?? []);
  const title = isOverview ? FIRST_TITLE : names.join(" and ");
  useTitle(error !== undefined ? "Nothing to show" : title === "" ? "Loading" : title);
  if (error !== undefined) return <Failure error={error} isOverview={isOverview} />;
  if (isOverview && overview.value !== undefined)
    return <OverviewPage overview={overview.value} theme={theme} />;
  if (page === "run" && a.value !== undefined) return <RunPage key={first} run={a.value} theme={theme} />;
  if (page === "compare" && a.value !== undefined && b.value !== undefined)
    return <ComparePage a={a.value} b={b.value} theme={theme} />;
  return (
    <main>
      <p class="muted" role="status">
        Loading …
      </p>
    </main>
  );
}

function App() {
  const [theme, switchTheme] = useTheme();
  const hash = useHash();
  return (
    <>
      <header class="top">
        <h1>
          <a href="#/">ccpark</a>
        </h1>
        <nav aria-label="Pages">
          <a href="#/">{FIRST_TITLE}</a>
        </nav>
        <button id="theme" type="button" onClick={switchTheme} aria-label="Switch between light and dark">
          {theme === "dark" ? "Light" : "Dark"}
        </button>
      </header>
      <Page hash={hash} theme={theme} />
    </>
  );
}

render(<App />, document.getElementById("app")!);
