// @ts-check
// What was typed and not saved: kept in this tab through a reload and the back button, and asked about before a link leaves it.
import { useEffect, useState } from '../../core/html.js';

/** @import { Draft } from './draft.js' */

/** @param {string} id */
const nameOf = (id) => `karcis.office.${id}`;

/** @param {string} id @param {number} version @returns {Draft | null} */
export function readKept(id, version) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(nameOf(id)) ?? 'null');
    return kept?.version === version ? kept.draft : null;
  } catch {
    return null;
  }
}

/** @param {string} id @param {number} version @param {Draft} draft */
export const keep = (id, version, draft) => sessionStorage.setItem(nameOf(id), JSON.stringify({ version, draft }));

/** @param {string} id */
export const dropKept = (id) => sessionStorage.removeItem(nameOf(id));

/**
 * Asks before a link or the window's end leaves what is not saved.
 * @param {boolean} isDirty
 * @returns {[string | null, (url: string | null) => void]} where the person wanted to go, and its setter
 */
export function useLeaving(isDirty) {
  const [to, setTo] = useState(/** @type {string | null} */ (null));
  useEffect(() => {
    if (!isDirty) return undefined;
    /** @param {BeforeUnloadEvent} event */
    const onUnload = (event) => event.preventDefault();
    /** @param {MouseEvent} event */
    const onClick = (event) => {
      const link = /** @type {HTMLAnchorElement | null} */ (/** @type {Element} */ (event.target).closest?.('a[href]'));
      if (!link || link.target || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
      const url = new URL(link.href);
      if (url.origin !== location.origin || (url.pathname === location.pathname && url.hash)) return;
      event.preventDefault();
      event.stopPropagation();
      setTo(url.pathname + url.search);
    };
    addEventListener('beforeunload', onUnload);
    // Before the router sees it.
    document.addEventListener('click', onClick, true);
    return () => { removeEventListener('beforeunload', onUnload); document.removeEventListener('click', onClick, true); };
  }, [isDirty]);
  return [to, setTo];
}
