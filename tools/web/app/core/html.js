// @ts-check
// What every screen and part is written with: htm's tagged templates, hooks and signals.
import { h } from 'preact';
import htm from 'htm';

/** Markup as a tagged template: html`<p>${text}</p>`. Values are escaped by Preact. */
export const html = htm.bind(h);

export { Fragment } from 'preact';
export { useCallback, useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
export { batch, computed, effect, signal, useComputed, useSignal } from '@preact/signals';
