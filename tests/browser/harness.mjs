// People with browsers, and the events that they visit.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { chromium } from 'playwright-core';

const state = JSON.parse(readFileSync(process.env.KARCIS_STATE, 'utf8'));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const screens = process.env.KARCIS_SCREENS;
/** How long anything may take to be there: a slow machine is no failure. */
const TIMEOUT_MS = Number(process.env.KARCIS_BROWSER_TIMEOUT_MS ?? 60_000);
const PASSWORD = 'a long and private sentence';

export const web = state.web;
export const PHONE = { width: 390, height: 844 };
export const DESK_TOP = { width: 1280, height: 860 };

/** A call of the API without a browser. */
export async function api(method, path, { token, body, status = 200 } = {}) {
  const headers = { ...(body && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(web + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  assert.equal(response.status, status, `${method} ${path}: ${text}`);
  return text ? JSON.parse(text) : null;
}

export const { admin } = state;
export const adminToken = async () => (await api('POST', '/login', { body: admin })).access_token;

/** Publishes an event with one ticket type, as the admin. */
export async function concert({ title = `Senja ${randomUUID().slice(0, 8)}`, price = 750_000, capacity = 100, ...more } = {}) {
  const starts = new Date(Date.now() + 30 * 86_400_000).toISOString();
  const ticket_types = [{ name: 'Festival', price: { amount: price, currency: 'IDR' }, capacity, max_per_booking: 4 }];
  const body = { title, venue: 'Gelora Bung Karno, Jakarta', description: 'One night only.\n\nDoors open at six.', starts_at: starts, time_zone: 'Asia/Jakarta', ticket_types, ...more };
  return api('POST', '/event/create', { token: await adminToken(), body, status: 201 });
}

/** Somebody new, with an account. */
export async function buyer(name = 'Sari Dewi') {
  const account = { email: `${randomUUID()}@mail.example`, password: PASSWORD };
  const session = await api('POST', '/register', { body: { ...account, name }, status: 201 });
  return { ...account, name, token: session.access_token };
}

/** Books without a browser, and pays with a token of the simulated gateway. */
export async function bookWith(person, event, method, { type = 0, quantity = 1, status = 200 } = {}) {
  const { token } = person;
  const items = [{ ticket_type_id: event.ticket_types[type].ticket_type_id, quantity }];
  const { booking_id } = await api('POST', '/booking/create', { token, body: { event_id: event.event_id, items }, status: 202 });
  const booking = async () => (await api('GET', `/bookings/${booking_id}`, { token })).status;
  await eventually(booking, 'awaiting_payment');
  await api('POST', '/payment/process', { token, body: { booking_id, method }, status });
  return { booking_id, booking };
}

/**
 * A test that is a story: `open` gives a page in a browser profile of its own. Afterwards no page may have had an
 * error in its console, but for answers whose status the story expects.
 */
export function story(name, { refusals = [] } = {}, tell) {
  test(name, { timeout: 5 * TIMEOUT_MS }, async () => {
    const browser = await chromium.launch({ executablePath: process.env.KARCIS_CHROMIUM, args: ['--no-sandbox'] });
    const errors = [];
    const pages = [];
    const watch = (page) => {
      pages.push(page);
      page.on('pageerror', (error) => errors.push(String(error.stack)));
      page.on('console', (message) => {
        if (message.type() !== 'error') return;
        const status = Number(/status of (\d+)/.exec(message.text())?.[1]);
        if (!refusals.includes(status)) errors.push(`${message.text()} ${message.location().url}`);
      });
    };
    const open = async ({ viewport = PHONE, language = 'en-GB', ...how } = {}) => {
      const context = await browser.newContext({ viewport, locale: language, timezoneId: 'Asia/Jakarta', baseURL: web, ...how });
      context.setDefaultTimeout(TIMEOUT_MS);
      context.on('page', watch);
      return context.newPage();
    };
    try {
      await tell({ open, errors });
      assert.deepEqual(errors, [], 'the console has no errors');
    } catch (error) {
      const slug = name.replace(/\W+/g, '-');
      await Promise.all(pages.map((page, at) => page.screenshot({ path: `${screens}/failed/${slug}-${at}.png`, fullPage: true }).catch(() => null)));
      if (errors.length) console.error(errors.join('\n'));
      throw error;
    } finally {
      await browser.close();
    }
  });
}

/** A picture of a screen, which axe-core looks at too. */
export async function look(page, name) {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: `${screens}/${name}.png`, fullPage: true, animations: 'disabled' });
  const found = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ['violations'] })`);
  const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const lines = serious.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`));
  assert.deepEqual(lines, [], `axe-core on ${name}`);
}

// What people do, in the words that they read.

export async function signIn(page, person) {
  await page.getByLabel('E-mail', { exact: true }).fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.locator('main').getByRole('button', { name: 'Sign in' }).click();
}

/** Chooses tickets on the event's page, and goes on. */
export async function choose(page, event, quantity = 2) {
  await page.goto(`/e/${event.event_id}`);
  const more = page.getByRole('button', { name: 'One more: Festival' });
  for (let at = 0; at < quantity; at += 1) await more.click();
  await page.getByRole('button', { name: /Get (free )?tickets/ }).click();
}

/** Signed in, with tickets chosen and held. */
export async function toCheckout(page, person, event, quantity = 2) {
  await choose(page, event, quantity);
  await signIn(page, person);
  await page.getByText('How do you want to pay?').waitFor();
}

/** Pays with one of the simulated gateway's methods. */
export async function pay(page, method = 'Card that works') {
  await page.getByText(method, { exact: true }).click();
  await page.getByRole('button', { name: /^Pay / }).click();
}

export const isConfirmed = (page) => page.getByText('Confirmed', { exact: true }).first().waitFor();
export const bookingsOf = async (person) => (await api('GET', '/bookings', { token: person.token })).items;
/** How many tickets of the first type are free. */
export const freeOf = async (event) => (await api('GET', `/events/${event.event_id}`)).ticket_types[0].available;

/** Waits until something is so. */
export async function eventually(read, expected) {
  const until = Date.now() + TIMEOUT_MS;
  for (;;) {
    const value = await read();
    if (value === expected) return;
    if (Date.now() > until) assert.equal(value, expected);
    await new Promise((done) => { setTimeout(done, 100); });
  }
}
