// @ts-check
// The language a person reads, and its texts.
import { computed, signal } from '@preact/signals';

/** @typedef {'en' | 'id'} Language */
/** @typedef {'shop' | 'office' | 'door' | 'console'} Area A part of the app with texts of its own. */

/** @type {Language[]} */
export const LANGUAGES = ['en', 'id'];

/** @param {string | null | undefined} tag @returns {Language | null} */
function known(tag) {
  const language = /** @type {Language} */ (tag?.slice(0, 2).toLowerCase());
  return LANGUAGES.includes(language) ? language : null;
}

const chosen = known(localStorage.getItem('karcis.language'));

/** @type {import('@preact/signals').Signal<Language>} */
export const language = signal(chosen ?? known(navigator.language) ?? 'en');

/** @type {import('@preact/signals').Signal<Record<string, string>>} */
const texts = signal({});
/** @type {Set<Area>} */
const areas = new Set();

/** For Intl: the person's own region where it is of the same language. */
export const locale = computed(() => {
  const own = navigator.languages?.find((tag) => known(tag) === language.value);
  return own ?? (language.value === 'id' ? 'id-ID' : 'en-GB');
});

/** @param {Area} area @param {Language} of */
const dictionary = async (area, of) => (await import(`../texts/${of}/${area}.js`)).default;

/** Loads the texts of an area; a lazy screen awaits this before it renders. @param {Area} area */
export async function loadTexts(area) {
  if (areas.has(area)) return;
  const more = await dictionary(area, language.value);
  areas.add(area);
  texts.value = { ...texts.value, ...more };
}

/** @param {Language} to @param {{ isChosen?: boolean }} [how] isChosen: remember it on this device */
export async function setLanguage(to, { isChosen = true } = {}) {
  const all = await Promise.all([...areas].map((area) => dictionary(area, to)));
  texts.value = Object.assign({}, ...all);
  language.value = to;
  document.documentElement.lang = to;
  if (isChosen) localStorage.setItem('karcis.language', to);
}

/** Takes the language of a person's profile, unless one was chosen on this device. @param {string | null} tag */
export function suggestLanguage(tag) {
  const to = known(tag);
  if (to && to !== language.value && !localStorage.getItem('karcis.language')) {
    void setLanguage(to, { isChosen: false });
  }
}

/**
 * The text of a key, with {name} replaced. A key that is missing is shown as it is.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const text = texts.value[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** Whether a text with this key exists. @param {string} key */
export const hasText = (key) => key in texts.value;

/**
 * The text of `key.one` or `key.other`, by the rules of the language; {count} is the number.
 * @param {string} key @param {number} count @param {Record<string, string | number>} [values]
 */
export function tn(key, count, values = {}) {
  const rule = new Intl.PluralRules(language.value).select(count);
  const number = new Intl.NumberFormat(locale.value).format(count);
  return t(`${key}.${rule === 'one' ? 'one' : 'other'}`, { ...values, count: number });
}
