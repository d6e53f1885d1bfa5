/**
 * A real Chromium on the built page, and what a test must not overlook: errors, breaches of the policy, requests to
 * others.
 */

import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type * as Playwright from 'playwright-core';
import { serve, type Server, type Serving } from './server.js';

export type { Page } from 'playwright-core';

/** The repository, and what build.mjs wrote. */
export const REPOSITORY = process.env['REPOSITORY'] ?? '..';
export const PAGE = join(process.env['PLAYGROUND_OUT'] ?? join(REPOSITORY, 'target/playground'), 'page');
export const FIXTURES = join(REPOSITORY, 'tests/fixtures');

/** Debian's, unless the environment names another. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why there can be no test here; false where there can. */
export const NO_CHROMIUM = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}: install chromium, or set CHROMIUM`;

const require = createRequire(join(REPOSITORY, 'playground/package.json'));
let browser: Playwright.Browser | undefined;

async function launched(): Promise<Playwright.Browser> {
  if (browser === undefined) {
    const { chromium } = require('playwright-core') as typeof Playwright;
    // No name is resolved: whatever asked another host would fail, and be seen.
    const args = ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'];
    browser = await chromium.launch({ executablePath: CHROMIUM, args });
  }
  return browser;
}

/** Ends the browser: after the last test of a file. */
export async function quit(): Promise<void> {
  await browser?.close();
  browser = undefined;
}

/** How a test wants it. */
export interface Wanted {
  readonly serving?: Partial<Serving>;
  readonly change?: Parameters<typeof serve>[1];
  readonly context?: Playwright.BrowserContextOptions;
  /** What the console may say: parts of messages. */
  readonly allow?: readonly string[];
}

/** A page that is open, and its server. */
export interface Opened {
  readonly page: Playwright.Page;
  readonly server: Server;
  /** Opens another page in the same browser profile. */
  another(): Promise<Playwright.Page>;
  /** Opens the page, and waits until the component is ready. */
  go(fragment?: string): Promise<void>;
}

/** Opens the page. When the test is over, anything that went wrong unseen fails it. */
export async function open(test: TestContext, wanted: Wanted = {}): Promise<Opened> {
  const sumdb = join(FIXTURES, 'proxy');
  const server = await serve({ page: PAGE, headers: true, sumdb, ...wanted.serving }, wanted.change);
  const context = await (await launched()).newContext(wanted.context);
  const wrong: string[] = [];
  const allowed = (text: string): boolean => (wanted.allow ?? []).some((part) => text.includes(part));
  const note = (text: string): void => {
    if (!allowed(text)) wrong.push(text);
  };
  await context.exposeBinding('testSawBreach', (_, text: string) => note(`policy: ${text}`));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) => {
      const { testSawBreach } = globalThis as unknown as { testSawBreach(text: string): void };
      testSawBreach(`${violatedDirective} ${blockedURI} ${sample}`);
    });
  });
  const watch = (page: Playwright.Page): Playwright.Page => {
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) note(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => note(`error: ${error.message}`));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(server.url) && !url.startsWith(`blob:${server.origin}`)) note(`request: ${url}`);
    });
    return page;
  };
  const page = watch(await context.newPage());
  test.after(async () => {
    await context.close();
    await server.close();
    assert.deepEqual(wrong, []);
    assert.deepEqual(
      server.asked.filter((path) => path.startsWith('!')),
      [],
      'asked for outside of the folder',
    );
  });
  return {
    page,
    server,
    another: async () => watch(await context.newPage()),
    go: async (fragment = '') => {
      await page.goto(server.url + fragment);
      await ready(page);
    },
  };
}

/** Waits until the component is ready. */
export async function ready(page: Playwright.Page): Promise<void> {
  await page.getByText('… ready').waitFor();
}

/** A file for `setInputFiles`. */
export function file(name: string, content: string | Uint8Array): { name: string; mimeType: string; buffer: Buffer } {
  return { name, mimeType: '', buffer: Buffer.from(content) };
}

/** Gives files to the page as by its button. */
export async function choose(page: Playwright.Page, ...files: ReturnType<typeof file>[]): Promise<void> {
  await page.locator('#choose').setInputFiles(files);
}

/** Waits for a verdict, and gives its word. */
export async function verdict(page: Playwright.Page): Promise<string> {
  await page.locator('#verdict').waitFor();
  return (await page.locator('#verdict').textContent()) ?? '';
}

/** What the page lets one take away. */
export async function taken(page: Playwright.Page, label: string): Promise<Uint8Array> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: label, exact: true }).click(),
  ]);
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  return new Uint8Array(Buffer.concat(chunks));
}
