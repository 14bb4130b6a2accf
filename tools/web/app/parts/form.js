// @ts-check
// Forms: labels, hints, and the server's field errors at their fields.
import { html, useId, useRef, useState } from '../core/html.js';
import { t } from '../core/i18n.js';
import { Icon } from './icons.js';
import { wordsOf } from './states.js';

/** @import { Problem } from '../core/api.js' */

/**
 * The state of a form: `submit` runs `send` once at a time, and a refusal is kept with its field errors.
 * @param {(values: Record<string, string>) => Promise<any>} send
 */
export function useForm(send) {
  const [problem, setProblem] = useState(/** @type {Problem | null} */ (null));
  const [isBusy, setBusy] = useState(false);
  const isRunning = useRef(false);
  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault();
    // State changes only at the next rendering: a double click comes before.
    if (isRunning.current) return;
    isRunning.current = true;
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    setBusy(true);
    setProblem(null);
    try {
      await send(/** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form))));
    } catch (error) {
      if (!(error instanceof Error && 'slug' in error)) throw error;
      setProblem(/** @type {Problem} */ (error));
      requestAnimationFrame(() => {
        const first = form.querySelector('[aria-invalid="true"], [role="alert"]');
        if (first instanceof HTMLElement) first.focus();
      });
    } finally {
      isRunning.current = false;
      setBusy(false);
    }
  }
  /** @param {string} field */
  const errorOf = (field) => problem?.errors.find((error) => error.field === field)?.message ?? null;
  return { submit, isBusy, problem, errorOf, setProblem };
}

/**
 * A labelled input with its hint and error.
 * @param {{ label: string, name: string, form?: ReturnType<typeof useForm>, hint?: string, error?: string | null,
 *   multiline?: boolean, children?: any } & Record<string, any>} props
 */
export function Field({ label, name, form, hint, error, multiline, children, ...rest }) {
  const id = useId();
  const wrong = error ?? form?.errorOf(name) ?? null;
  const about = [hint && `${id}-hint`, wrong && `${id}-error`].filter(Boolean).join(' ') || undefined;
  const shared = { id, name, 'aria-invalid': wrong ? 'true' : undefined, 'aria-describedby': about, ...rest };
  let input = html`<input type="text" ...${shared} />`;
  if (multiline) input = html`<textarea rows="5" ...${shared} />`;
  if (children) input = html`<select ...${shared}>${children}</select>`;
  return html`<div class=${`field ${wrong ? 'wrong' : ''}`}>
    <label for=${id}>${label}</label>
    ${input}
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    ${wrong && html`<p class="error" id=${`${id}-error`}><${Icon} name="warning" size=${16} />${wrong}</p>`}
  </div>`;
}

/** A password that can be shown. @param {{ label: string, name: string } & Record<string, any>} props */
export function PasswordField({ label, name, ...rest }) {
  const [isShown, show] = useState(false);
  return html`<div class="password">
    <${Field} label=${label} name=${name} type=${isShown ? 'text' : 'password'} required autocapitalize="none" spellcheck="false" ...${rest} />
    <button type="button" class="plain" aria-pressed=${isShown} onClick=${() => show(!isShown)}>${t(isShown ? 'password.hide' : 'password.show')}</button>
  </div>`;
}

/** What was refused and belongs to no field. @param {{ form: ReturnType<typeof useForm>, fields?: string[] }} props */
export function FormProblem({ form, fields = [] }) {
  const { problem } = form;
  if (!problem) return null;
  const others = problem.errors.filter(({ field }) => !fields.includes(field));
  if (problem.errors.length && !others.length) return null;
  return html`<div class="notice failed" role="alert" tabindex="-1"><${Icon} name="warning" /><div>
    ${others.length ? others.map((error) => html`<p key=${error.field}>${error.field}: ${error.message}</p>`) : html`<p>${wordsOf(problem)}</p>`}
  </div></div>`;
}

/** @param {{ isBusy?: boolean, children: any } & Record<string, any>} props */
export function Submit({ isBusy, children, class: name = '', ...rest }) {
  return html`<button type="submit" class=${`button primary ${name}`} aria-disabled=${isBusy ? 'true' : undefined} ...${rest}>
    ${isBusy && html`<span class="spinner" aria-hidden="true" />`}${children}
  </button>`;
}
