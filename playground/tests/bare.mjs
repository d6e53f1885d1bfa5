/**
 * A bare page in Chromium with the package in it, as a web developer would have it: served from 127.0.0.1, under a
 * policy that allows nothing but WebAssembly, with no file but the package's own and those that a test asks for.
 */

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** Chromium: Debian's, unless the environment names another. */
export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

const PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>modanchor</title><script type="module" src="/page.js"></script></html>
`;

const TYPES = { html: 'text/html', js: 'text/javascript', wasm: 'application/wasm' };

/** Whether there is a Chromium. */
export function hasChromium() {
  return existsSync(CHROMIUM);
}

/**
 * Opens the page. `out` is what build.mjs has built, `script` the page's module, which may import `/verifier/index.js`,
 * and `files` gives the bytes at any other path, or undefined. Gives Playwright's page, the browser's version, and
 * `close`, which throws if the policy was breached, if anything was asked of another origin, or if there was an error
 * that nobody caught.
 */
export async function openBare(out, script, files = () => undefined) {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    const own = { '/': PAGE, '/page.js': script }[path];
    let body = own ?? files(path);
    if (body === undefined && ['/verifier/index.js', '/verifier/modanchor.wasm'].includes(path)) {
      body = readFileSync(join(out, path));
    }
    const type = TYPES[path === '/' ? 'html' : path.split('.').at(-1)] ?? 'application/octet-stream';
    response.writeHead(body === undefined ? 404 : 200, {
      'Content-Security-Policy': POLICY,
      'Content-Type': type,
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;

  const browser = await chromium.launch({ executablePath: CHROMIUM });
  const page = await browser.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
  page.on('request', (request) => new URL(request.url()).origin === origin || wrong.push(`asked for ${request.url()}`));
  // There is no icon to ask for.
  await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
  return {
    page,
    origin,
    version: browser.version(),
    async close() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (wrong.length > 0) {
        throw new Error(`in Chromium: ${wrong.join('; ')}`);
      }
    },
  };
}
