/**
 * The service worker: after the first visit the page works without a network.
 *
 * Security: it serves the files of its own build and no others, from a cache that it filled itself, and each was
 * compared with the SHA-256 that the build wrote into this script. A file that differs fails the installation as a
 * whole. What is not in the list, such as look-ups, it does not touch. A new build has another list, thus another
 * script: it takes over when no page of the old one is open, so that no page gets half of each.
 */

/** What lib.dom.d.ts does not know of a service worker. */
interface ExtendableEvent extends Event {
  waitUntil(promise: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

interface Scope {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: { claim(): Promise<void> };
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
}

/** SHA-256 of every file of the build, hexadecimal, by its path relative to the page. */
declare const __FILES__: Readonly<Record<string, string>>;

/** Digest over that list. */
declare const __FILES_DIGEST__: string;

const scope = self as unknown as Scope;
const PREFIX = 'modanchor-playground ';
/** One cache for each build, and for each folder that a build lies in: several may share an origin. */
const CACHE = `${PREFIX}${scope.registration.scope} ${__FILES_DIGEST__}`;

/** The headers that docs/playground.md asks a server for, and the type. */
const KEPT_HEADERS = [
  'content-type',
  'content-security-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'referrer-policy',
  'x-content-type-options',
];

const urlOf = (path: string): string => new URL(path, scope.registration.scope).href;
/** The page itself is asked for by its folder. */
const pathOf = (url: string): string => {
  const path = url.slice(scope.registration.scope.length).replace(/[?#].*$/, '');
  return path === '' ? 'index.html' : path;
};

scope.addEventListener('install', (event) => {
  event.waitUntil(install());
});

scope.addEventListener('activate', (event) => {
  event.waitUntil(activate());
});

scope.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || !request.url.startsWith(scope.registration.scope)) return;
  const path = pathOf(request.url);
  if (Object.hasOwn(__FILES__, path)) event.respondWith(serve(path));
});

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  const add = async ([path, digest]: [string, string]): Promise<void> => {
    const response = await fetch(urlOf(path), { cache: 'no-cache', credentials: 'omit', redirect: 'error' });
    const bytes = await response.arrayBuffer();
    const measured = Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (byte) =>
      byte.toString(16).padStart(2, '0'),
    ).join('');
    if (!response.ok || measured !== digest) throw new Error(`${path} is not the file of this build`);
    // A new response, so that nothing of the old one's way here (a redirect, a status) is kept.
    const headers = new Headers();
    for (const name of KEPT_HEADERS) {
      const value = response.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    await cache.put(urlOf(path), new Response(bytes, { headers }));
  };
  await Promise.all(Object.entries(__FILES__).map(add));
}

async function activate(): Promise<void> {
  const own = `${PREFIX}${scope.registration.scope} `;
  const old = (await caches.keys()).filter((name) => name.startsWith(own) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await scope.clients.claim();
}

async function serve(path: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  // The browser may have dropped the cache; then the network has it, or nobody.
  return (await cache.match(urlOf(path))) ?? fetch(urlOf(path));
}
export {};
