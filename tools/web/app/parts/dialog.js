// @ts-check
// A native modal dialog: Escape and a click beside it close it, and the focus returns to where it was.
import { html, useEffect, useId, useRef } from '../core/html.js';
import { t } from '../core/i18n.js';
import { Icon } from './icons.js';

/** @param {{ title: string, onClose: () => void, children: any }} props */
export function Dialog({ title, onClose, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useId();
  useEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    dialog.current?.showModal();
    return () => before?.focus();
  }, []);
  /** @param {MouseEvent} event */
  const onClick = (event) => { if (event.target === dialog.current) onClose(); };
  return html`<dialog ref=${dialog} class="dialog" aria-labelledby=${id} onClick=${onClick}
    onCancel=${(/** @type {Event} */ event) => { event.preventDefault(); onClose(); }}>
    <div class="dialog-body">
      <div class="dialog-head">
        <h2 id=${id}>${title}</h2>
        <button class="plain" type="button" onClick=${onClose} aria-label=${t('close')}><${Icon} name="cross" /></button>
      </div>
      ${children}
    </div>
  </dialog>`;
}
