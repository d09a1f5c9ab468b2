/** The browser of these tests. Where it is not installed they are skipped; in CI they fail. */
import { existsSync } from "node:fs";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";
const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
export const isMissing: boolean = !existsSync(CHROMIUM) && process.env["CI"] !== "true";
if (isMissing) console.warn(`skipped: no ${CHROMIUM}; test/setup/install-chromium.sh installs it`);

export interface Browser {
  readonly context: BrowserContext;
  readonly page: Page;
  /** errors and warnings of the page, as they come */
  readonly complaints: string[];
}

export async function openChromium(profile: string): Promise<Browser> {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: ARGS,
    viewport: { width: 1440, height: 1000 },
    acceptDownloads: true,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return { context, page, complaints };
}

/** From the first page of `ccpark ui`, as somebody who clicks. */
export async function openRun(page: Page, url: string, name: string): Promise<void> {
  await page.goto(`${url}#/`);
  await page.getByRole("link", { name, exact: true }).click();
  await page.getByRole("heading", { name, exact: true }).waitFor();
}
