// @ts-check
// Loads what a screen shows, and says how far it is.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { get } from './api.js';
import { watch } from './stream.js';

const RENEW_EVERY_MS = 10_000;

/**
 * @template T
 * @typedef {object} Resource
 * @property {'loading' | 'ready' | 'failed'} status
 * @property {T | null} data also while it is loaded again
 * @property {import('./api.js').Problem | null} problem
 * @property {() => void} retry
 * @property {(data: T) => void} set
 * @property {'live' | 'waiting' | 'off'} connection of a live resource
 */

/**
 * Calls `load` now and whenever a dependency changes; what an older call answers is dropped.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {any[]} dependencies
 * @returns {Resource<T>}
 */
export function useResource(load, dependencies) {
  const [state, setState] = useState(/** @type {any} */ ({ status: 'loading', data: null, problem: null }));
  const [round, setRound] = useState(0);
  // Asked before anything is painted.
  useLayoutEffect(() => {
    const abort = new AbortController();
    setState((/** @type {any} */ before) => ({ ...before, status: 'loading', problem: null }));
    load(abort.signal).then(
      (data) => { if (!abort.signal.aborted) setState({ status: 'ready', data, problem: null }); },
      (problem) => {
        if (abort.signal.aborted) return;
        if (!('slug' in problem)) console.error(problem);
        setState((/** @type {any} */ before) => ({ ...before, status: 'failed', problem }));
      },
    );
    return () => abort.abort();
  }, [...dependencies, round]);
  const retry = useCallback(() => setRound((before) => before + 1), []);
  const set = useCallback((/** @type {T} */ data) => setState({ status: 'ready', data, problem: null }), []);
  return { ...state, retry, set, connection: 'off' };
}

/**
 * Reads a resource again every 10 s while somebody looks at it and has not opened anything in it.
 * @param {Resource<any>} resource
 * @param {() => boolean} [isStill] whether it has to stay as it is
 */
export function useRenewed({ retry }, isStill = () => false) {
  const still = useRef(isStill);
  still.current = isStill;
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden && !document.querySelector('dialog[open], main details[open]') && !still.current()) retry();
    }, RENEW_EVERY_MS);
    return () => clearInterval(timer);
  }, [retry]);
}

/**
 * A resource that is read once and then followed by its stream until `isOver`.
 * @template {{ version: number }} T
 * @param {string | null} path null: nothing to follow yet
 * @param {(data: T) => boolean} isOver
 * @param {(data: T) => void} [onData]
 * @param {(path: string, signal: AbortSignal) => Promise<T>} [load] how it is read at first
 * @returns {Resource<T>}
 */
export function useLive(path, isOver, onData, load = (from, signal) => get(from, { signal })) {
  const first = useResource(async (signal) => (path ? load(path, signal) : /** @type {any} */ (null)), [path]);
  const [connection, setConnection] = useState(/** @type {'live' | 'waiting' | 'off'} */ ('off'));
  const latest = useRef(onData);
  latest.current = onData;
  const data = first.data;
  const isReady = first.status === 'ready' && data !== null && path !== null;
  const over = isReady && isOver(/** @type {T} */ (data));
  useEffect(() => {
    if (!isReady || over || !path) return undefined;
    return watch(path, {
      from: /** @type {T} */ (data).version,
      onData: (next) => first.set(next),
      onConnection: setConnection,
    });
  }, [path, isReady, over]);
  useEffect(() => { if (isReady && data) latest.current?.(data); }, [data, isReady]);
  return { ...first, connection: over ? 'off' : connection };
}
