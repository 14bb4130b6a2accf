// @ts-check
// Decides who gets in: the servers where they answer, else the list on this device, which is reported later.
import { Problem, get, post, serverNow } from '../../core/api.js';
import { batch, computed, signal } from '../../core/html.js';
import { renewSession, sessionState } from '../../core/session.js';
import { dropReport, keepList, keepReport, keepTicket, keptEvent, keptReports, keptTickets } from './store.js';

/** @import { KeptEvent, ListedTicket, Report } from './store.js' */

/**
 * What the person at the door is told.
 * @typedef {object} Verdict
 * @property {'admitted' | 'already' | 'cancelled' | 'unknown'} result
 * @property {string} code
 * @property {string | null} name of the ticket type
 * @property {string | null} checked_in_at
 * @property {string | null} gate
 * @property {boolean} isByList whether no server was asked
 * @property {string} check_in_id
 */

/** How long a door waits for the servers before it goes by its list. */
const ANSWER_WITHIN_MS = 4000;
/** How often a door asks what changed. */
const SYNC_EVERY_MS = 5000;

/** @type {import('@preact/signals').Signal<KeptEvent | null>} */
export const event = signal(null);
/** @type {import('@preact/signals').Signal<{ admitted: number, sold: number }>} */
export const counts = signal({ admitted: 0, sold: 0 });
export const isOnline = signal(navigator.onLine);
/** @type {import('@preact/signals').Signal<Report[]>} */
const reports = signal([]);
/** What waits to be reported. */
export const waiting = computed(() => reports.value.filter(({ conflict }) => !conflict));
/** Whom this door let in, and the servers would not have. */
export const conflicts = computed(() => reports.value.filter(({ conflict }) => conflict));
/** @type {import('@preact/signals').Signal<Problem | null>} */
export const problem = signal(null);

/** @type {Map<string, ListedTicket>} */
let tickets = new Map();

/** @param {ListedTicket} ticket */
function put(ticket) {
  const before = tickets.get(ticket.code);
  const part = (/** @type {ListedTicket | undefined} */ of, /** @type {boolean} */ isUsed) =>
    Number(of !== undefined && (of.state === 'used' || (!isUsed && of.state === 'valid')));
  tickets.set(ticket.code, ticket);
  counts.value = {
    admitted: counts.value.admitted + part(ticket, true) - part(before, true),
    sold: counts.value.sold + part(ticket, false) - part(before, false),
  };
}

/** The code in what was scanned or typed: itself, or the last part of an address. @param {string} text */
export function codeOf(text) {
  const part = text.trim().replace(/[?#].*$/, '').split('/').pop() ?? '';
  const code = part.replace(/\.svg$/i, '').replace(/[\s-]/g, '').toLowerCase();
  return /^[0-9a-f]{32}$/.test(code) ? code : text.trim().slice(0, 200);
}

const isAway = (/** @type {unknown} */ error) =>
  error instanceof Problem && (error.isPassing || (error.slug === 'not-logged-in' && sessionState.value === 'away'));

/** Asks the servers, who have to answer soon. @param {object} body */
async function ask(body) {
  try {
    const answer = await post('/event/check-in', body, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    isOnline.value = true;
    return answer;
  } catch (error) {
    const lost = error instanceof DOMException ? new Problem(0, { type: 'offline', title: error.message }) : error;
    if (isAway(lost)) isOnline.value = false;
    throw lost;
  }
}

/** Lets a ticket in, once. @param {string} text what was scanned or typed @param {string} gate @returns {Promise<Verdict>} */
export async function admit(text, gate) {
  const here = /** @type {KeptEvent} */ (event.value);
  const code = codeOf(text);
  const check_in_id = crypto.randomUUID();
  const at = new Date(serverNow()).toISOString();
  // A door that knows it has no network does not let people wait to find out again; the next sync does.
  const isTried = isOnline.value && navigator.onLine;
  if (isTried) {
    try {
      const answer = await ask({ code, event_id: here.event_id, gate, check_in_id });
      await learn(answer);
      return { ...answer, code: answer.code ?? code, isByList: false, check_in_id };
    } catch (error) {
      if (!isAway(error)) throw error;
    }
  }
  const verdict = byList(code, at, gate, check_in_id);
  if (verdict.result === 'admitted') {
    const report = { check_in_id, event_id: here.event_id, code, name: verdict.name ?? '', gate, at, isSent: isTried, isUndone: false, conflict: null };
    await keepReport(report);
    await use(code, at, gate);
    reports.value = [...reports.value, report];
  }
  return verdict;
}

/** @param {string} code @param {string} at @param {string} gate @param {string} check_in_id @returns {Verdict} */
function byList(code, at, gate, check_in_id) {
  const ticket = tickets.get(code);
  const told = { code, name: ticket?.name ?? null, isByList: true, check_in_id };
  if (!ticket) return { ...told, result: 'unknown', checked_in_at: null, gate: null };
  if (ticket.state === 'cancelled' || event.value?.event_status === 'cancelled') return { ...told, result: 'cancelled', checked_in_at: null, gate: null };
  if (ticket.state === 'used') return { ...told, result: 'already', checked_in_at: ticket.checked_in_at, gate: ticket.gate };
  return { ...told, result: 'admitted', checked_in_at: at, gate };
}

/** @param {string} code @param {string | null} at null: it is not used @param {string | null} gate */
async function use(code, at, gate) {
  const ticket = tickets.get(code);
  if (!ticket || !event.value) return;
  const next = { ...ticket, state: /** @type {'used' | 'valid'} */ (at ? 'used' : 'valid'), checked_in_at: at, gate };
  put(next);
  await keepTicket(event.value.event_id, next);
}

/** What an answer says of a ticket stands on the list before the next sync says so. @param {any} answer */
async function learn(answer) {
  if (answer.result === 'admitted' || answer.result === 'already') await use(answer.code, answer.checked_in_at, answer.gate);
}

/** Takes this door's own admission back. @param {Verdict} verdict */
export async function undo(verdict) {
  const report = reports.value.find(({ check_in_id }) => check_in_id === verdict.check_in_id);
  if (!report) await ask({ code: verdict.code, event_id: event.value?.event_id, undo: true });
  else if (report.isSent) await setReport({ ...report, isUndone: true });
  else await endReport(report);
  await use(verdict.code, null, null);
}

/** @param {Report} report */
async function setReport(report) {
  await keepReport(report);
  reports.value = reports.value.map((one) => (one.check_in_id === report.check_in_id ? report : one));
}

/** @param {Report} report Also how a conflict is taken note of. */
export async function endReport(report) {
  await dropReport(report.check_in_id);
  reports.value = reports.value.filter(({ check_in_id }) => check_in_id !== report.check_in_id);
}

/** Reports one check-in; its id makes a second time harmless. @param {Report} report */
async function send(report) {
  const { check_in_id, event_id, code, gate, at, isUndone } = report;
  if (!report.isSent) await setReport({ ...report, isSent: true });
  let answer;
  try {
    answer = await ask({ code, event_id, gate, check_in_id, at });
  } catch (error) {
    if (isAway(error) || !(error instanceof Problem)) throw error;
    answer = { result: 'refused', checked_in_at: null, gate: null };
  }
  if (isUndone) {
    // Another door's admission is not this door's to take back.
    if (answer.result === 'admitted') await ask({ code, event_id, undo: true });
    await endReport(report);
  } else if (answer.result === 'admitted') await endReport(report);
  else await setReport({ ...report, isSent: true, conflict: { result: answer.result, checked_in_at: answer.checked_in_at, gate: answer.gate } });
}

/** Reports what waits, and reads what changed. @param {AbortSignal} signal */
async function sync(signal) {
  if (sessionState.value !== 'in' && !(await renewSession())) throw new Problem(0, { type: 'offline' });
  for (const report of waiting.value) await send(report);
  for (let isLast = false; !isLast;) {
    const before = event.value;
    if (!before) return;
    const query = { event_id: before.event_id, since: before.since, limit: 100 };
    const page = await get('/event/check-in/list', { query, signal });
    if (signal.aborted) return;
    isLast = page.next_cursor === null;
    const next = { ...before, event_status: page.event_status, since: page.since, syncedAt: isLast ? Date.now() : before.syncedAt, isWhole: before.isWhole || isLast };
    await keepList(next, page.items);
    batch(() => {
      for (const ticket of page.items) put(ticket);
      event.value = next;
    });
  }
}

/**
 * Opens the door of an event: its list from this device, then what the servers say, again and again.
 * @param {string} id
 * @returns {() => void} closes it
 */
export function openDoor(id) {
  const abort = new AbortController();
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  let isRunning = false;
  const round = async () => {
    if (isRunning) return;
    isRunning = true;
    clearTimeout(timer);
    try {
      await sync(abort.signal);
      isOnline.value = true;
      problem.value = null;
    } catch (error) {
      if (abort.signal.aborted) return;
      if (isAway(error)) isOnline.value = false;
      else if (error instanceof Problem) problem.value = error;
      else console.error(error);
    } finally {
      isRunning = false;
    }
    if (!abort.signal.aborted) timer = setTimeout(round, SYNC_EVERY_MS);
  };
  const onOffline = () => { isOnline.value = false; };
  const onOnline = () => void round();
  void (async () => {
    await start(id, abort.signal);
    if (event.value && !abort.signal.aborted) await round();
  })();
  addEventListener('online', onOnline);
  addEventListener('offline', onOffline);
  return () => {
    abort.abort();
    clearTimeout(timer);
    removeEventListener('online', onOnline);
    removeEventListener('offline', onOffline);
    event.value = null;
  };
}

/** @param {string} id @param {AbortSignal} signal */
async function start(id, signal) {
  tickets = new Map();
  batch(() => {
    counts.value = { admitted: 0, sold: 0 };
    problem.value = null;
  });
  reports.value = await keptReports();
  let kept = await keptEvent(id);
  const known = kept ? await keptTickets(id) : [];
  if (!kept) {
    try {
      const found = await get(`/events/${encodeURIComponent(id)}`, { signal });
      const { event_id, title, venue, starts_at, time_zone, status } = found;
      kept = { event_id, title, venue, starts_at, time_zone, event_status: status, since: null, syncedAt: null, isWhole: false };
    } catch (error) {
      if (error instanceof Problem) problem.value = error;
      return;
    }
  }
  if (signal.aborted) return;
  batch(() => {
    for (const ticket of known) put(ticket);
    event.value = kept;
  });
}
