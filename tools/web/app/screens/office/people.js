// @ts-check
// People and roles, for admins: who may sell, admit and help, and who may not come in.
import { post } from '../../core/api.js';
import { html, useState } from '../../core/html.js';
import { t } from '../../core/i18n.js';
import { Field, FormProblem, Submit, useForm } from '../../parts/form.js';
import { Icon } from '../../parts/icons.js';
import { Heading, Notice } from '../../parts/states.js';

/** @import { Profile } from '../../types.js' */

const ROLES = /** @type {const} */ (['organiser', 'door', 'operator', 'admin', 'buyer']);

/** @param {{ done: { key: string, profile: Profile } | null }} props */
const Done = ({ done }) => html`<div role="status">${done && html`<${Notice} kind="done"><p>${t(done.key, {
  name: done.profile.name, email: done.profile.email, role: t(`role.${done.profile.role}`) })}</p></>`}</div>`;

function RoleForm() {
  const [done, setDone] = useState(/** @type {any} */ (null));
  const [role, setRole] = useState('organiser');
  const form = useForm(async ({ email, reason }) => {
    setDone(null);
    setDone({ key: 'people.role-given', profile: await post('/user/role', { email: email.trim(), role, reason: reason.trim() || null }) });
  });
  return html`<section class="box"><h2>${t('people.give')}</h2><form onSubmit=${form.submit} novalidate>
    <p class="fine">${t('people.give-text')}</p>
    <${Done} done=${done} />
    <${FormProblem} form=${form} fields=${['email', 'reason', 'role']} />
    <${Field} form=${form} name="email" type="email" label=${t('email')} autocomplete="off" />
    <fieldset class="choices"><legend>${t('people.role')}</legend>${ROLES.map((name) => html`<label key=${name} class="choice">
      <input type="radio" name="role" value=${name} checked=${role === name} onChange=${() => setRole(name)} />
      <span><strong>${t(`role.${name}`)}</strong><small>${t(`role-help.${name}`)}</small></span></label>`)}</fieldset>
    <${Field} form=${form} name="reason" label=${t('people.reason')} hint=${t('people.reason-hint')} maxlength="500" />
    <${Submit} isBusy=${form.isBusy}>${t('people.give-do')}</>
  </form></section>`;
}

function AccessForm() {
  const [done, setDone] = useState(/** @type {any} */ (null));
  const [act, setAct] = useState(/** @type {'disable' | 'enable'} */ ('disable'));
  const form = useForm(async ({ email, reason }) => {
    setDone(null);
    setDone({ key: `people.${act}d`, profile: await post(`/user/${act}`, { email: email.trim(), reason: reason.trim() }) });
  });
  return html`<section class="box"><h2>${t('people.access')}</h2><form onSubmit=${form.submit} novalidate>
    <p class="fine">${t('people.access-text')}</p>
    <${Done} done=${done} />
    <${FormProblem} form=${form} fields=${['email', 'reason']} />
    <${Field} form=${form} name="email" type="email" label=${t('email')} autocomplete="off" />
    <fieldset class="choices"><legend>${t('people.act')}</legend>${/** @type {const} */ (['disable', 'enable']).map((name) => html`<label key=${name} class="choice">
      <input type="radio" name="act" value=${name} checked=${act === name} onChange=${() => setAct(name)} /><span>${t(`people.${name}`)}</span></label>`)}</fieldset>
    <${Field} form=${form} name="reason" label=${t('people.reason-needed')} hint=${t('people.reason-hint')} maxlength="500" />
    <${Submit} class=${act === 'disable' ? 'danger' : ''} isBusy=${form.isBusy}>${t(`people.${act}`)}</>
  </form></section>`;
}

export function People() {
  return html`<div class="wide page stack">
    <div><a class="back" href="/office"><${Icon} name="left" size=${16} />${t('office.events')}</a><${Heading}>${t('people.title')}</><p class="lead">${t('people.lead')}</p></div>
    <div class="pair wide-pair"><${RoleForm} /><${AccessForm} /></div>
  </div>`;
}
