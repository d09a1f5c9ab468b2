/** The browser of these tests. Where it is not installed they are skipped; in CI they fail. */
import { existsSync } from "node:fs";
import { type BrowserContext, chromium } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";
const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-sync",
];
export const isMissing: boolean = !existsSync(CHROMIUM) && process.env["CI"] !== "true";
if (isMissing) console.warn(`skipped: no ${CHROMIUM}; test/setup/install-chromium.sh installs it`);

export function openChromium(profile: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: ARGS,
    viewport: { width: 1440, height: 1000 },
    acceptDownloads: true,
  });
}
