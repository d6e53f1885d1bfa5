/**
 * Chromium for the scripts in this folder: a bare page with the package in it, as a web developer would have it, under a
 * policy that allows nothing but WebAssembly, or the playground's page. All of it comes from 127.0.0.1.
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

const TYPES = {
  css: 'text/css',
  html: 'text/html',
  js: 'text/javascript',
  json: 'application/json',
  svg: 'image/svg+xml',
  wasm: 'application/wasm',
};

/** Whether there is a Chromium. */
export function hasChromium() {
  return existsSync(CHROMIUM);
}

/**
 * Opens a bare page. `out` is what build.mjs has built, `script` the page's module, which may import
 * `/verifier/index.js`, and `files` gives the bytes at any other path, or undefined.
 */
export function openBare(out, script, files = () => undefined) {
  const parts = ['/verifier/index.js', '/verifier/modanchor.wasm'];
  const own = { '/': PAGE, '/page.js': script };
  const body = (path) => own[path] ?? (parts.includes(path) ? readFileSync(join(out, path)) : files(path));
  return open(body, { 'Content-Security-Policy': POLICY });
}

/** Opens the playground's page, with the policy that it brings itself. */
export function openPlayground(out) {
  return open((path) => {
    const file = join(out, 'page', path === '/' ? 'index.html' : path);
    return existsSync(file) ? readFileSync(file) : undefined;
  }, {});
}

/**
 * Opens the root of a new server in a new Chromium. Gives Playwright's page, which has not gone there yet, the server's
 * `origin`, the browser's `version`, and `close`, which throws if the policy was breached, if anything was asked of
 * another origin, or if there was an error that nobody caught.
 */
async function open(body, headers) {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    // Browsers ask for it by themselves; that there is none is no error.
    const content = path === '/favicon.ico' ? '' : body(path);
    const type = TYPES[path === '/' ? 'html' : path.split('.').at(-1)] ?? 'application/octet-stream';
    response.writeHead(content === undefined ? 404 : 200, { ...headers, 'Content-Type': type });
    response.end(content);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;

  // No name is resolved: whatever asked another host would fail, and be seen.
  const args = ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'];
  const browser = await chromium.launch({ executablePath: CHROMIUM, args });
  const page = await browser.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => {
    // The page asks whether its own origin hands on a checksum database: here it does not.
    if (message.type() === 'error' && !message.location().url.startsWith(`${origin}/sumdb/`)) {
      wrong.push(`${message.location().url}: ${message.text()}`);
    }
  });
  page.on('request', (request) => new URL(request.url()).origin === origin || wrong.push(`asked for ${request.url()}`));
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
