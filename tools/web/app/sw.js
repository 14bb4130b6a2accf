// @ts-check
// Serves the app and seen tickets where there is no network. It keeps nothing itself: core/seen.js does, and only
// the page, its files, and bookings that were seen.
const worker = /** @type {any} */ (globalThis);

worker.addEventListener('install', () => worker.skipWaiting());
worker.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));

/** @param {Request} request @param {string} path */
async function fromNetwork(request, path, cacheName = 'karcis-shell') {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(path, { cacheName });
    if (kept) return kept;
    throw error;
  }
}

/** Files whose address has their hash never change. @param {Request} request */
const fromShell = async (request) => (await caches.match(request, { cacheName: 'karcis-shell' })) ?? fetch(request);

worker.addEventListener('fetch', (/** @type {any} */ event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (request.mode === 'navigate') event.respondWith(fromNetwork(request, '/'));
  else if (pathname.startsWith('/a/')) event.respondWith(fromShell(request));
  else if (/^\/tickets\/[^/]+\.svg$/.test(pathname)) event.respondWith(fromNetwork(request, pathname, 'karcis-seen'));
});
