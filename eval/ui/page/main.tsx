/** The page of `ccpark ui`: its address after `#` says what is shown, so that it can be kept and sent. */
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { address, type Overview, type Run, useJson } from "./api.ts";
import { ComparePage } from "./compare.tsx";
import { OverviewPage } from "./overview.tsx";
import type { Theme } from "./parts.tsx";
import { RunPage } from "./run.tsx";
import "./page.css";

const darkQuery = matchMedia("(prefers-color-scheme: dark)");

function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(darkQuery.matches ? "dark" : "light");
  useEffect(() => {
    const follow = (): void => setTheme(darkQuery.matches ? "dark" : "light");
    darkQuery.addEventListener("change", follow);
    return () => darkQuery.removeEventListener("change", follow);
  }, []);
  document.documentElement.dataset["theme"] = theme;
  return [theme, () => setTheme(theme === "dark" ? "light" : "dark")];
}

function useHash(): string {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = (): void => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return hash;
}

const runAddress = (id: string | undefined): string | undefined =>
  id === undefined ? undefined : address("/api/run", { id });

function Page({ hash, theme }: { readonly hash: string; readonly theme: Theme }) {
  const [, page, first, second] = hash.replace(/^#/, "").split("/");
  const isOverview = page !== "run" && page !== "compare";
  const overview = useJson<Overview>(isOverview ? "/api/overview" : undefined);
  const a = useJson<Run>(isOverview ? undefined : runAddress(first));
  const b = useJson<Run>(page === "compare" ? runAddress(second) : undefined);
  const error = overview.error ?? a.error ?? b.error;
  if (error !== undefined)
    return (
      <main>
        <p class="error" role="alert">
          {error}
        </p>
      </main>
    );
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
          <a href="#/">League and runs</a>
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
