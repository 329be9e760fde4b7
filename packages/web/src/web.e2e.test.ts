import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type FixtureServer, startFixtureServer } from './testing/fixture-server.ts';

// The built UI in a real browser, against generated data.

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const CHROMIUM = '/usr/bin/chromium';
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let server: FixtureServer;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const problems: string[] = [];

beforeAll(async () => {
  await promisify(execFile)('npx', ['vite', 'build', PACKAGE], { cwd: PACKAGE });
  server = await startFixtureServer(`${PACKAGE}/dist`, Date.now() * 1_000);
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

beforeEach(async () => {
  server.setMode('data');
  problems.length = 0;
  context = await browser.newContext({
    viewport: { width: 1_400, height: 850 },
    colorScheme: 'dark',
    timezoneId: 'UTC',
  });
  page = await context.newPage();
  page.on('pageerror', (error) => problems.push(error.message));
});

afterEach(async () => {
  await context.close();
  expect(problems).toEqual([]);
});

async function openList(query = ''): Promise<void> {
  await page.goto(`${server.url}/traces${query}`);
  await page.locator('.trace-rows li').first().waitFor();
}

async function openTrace(query = ''): Promise<void> {
  await page.goto(`${server.url}/traces/huge-400${query}`);
  await page.locator('.row').first().waitFor();
}

function parameter(name: string): string | null {
  return new URL(page.url()).searchParams.get(name);
}

async function untilParameter(name: string, wanted: string | RegExp | null): Promise<void> {
  await expect
    .poll(() => parameter(name))
    .toEqual(wanted instanceof RegExp ? expect.stringMatching(wanted) : wanted);
}

test('the list draws what is in view and loads the next page on scrolling', async () => {
  await openList();
  expect(await page.locator('.trace-rows li').count()).toBeLessThan(80);
  const header = page.locator('.results > header');
  expect(await header.textContent()).toContain('200 traces loaded, more below');
  await page.locator('.trace-scroll').evaluate((element) => {
    element.scrollTop = element.scrollHeight;
  });
  await expect.poll(() => header.textContent(), { timeout: 10_000 }).toContain('400 traces loaded');
});

test('a box drawn on the heat map selects time and latency in the URL, and Back undoes it', async () => {
  await openList();
  const box = await page.locator('.heat-map').boundingBox();
  if (box === null) throw new Error('the heat map has no box');
  await page.mouse.move(box.x + 400, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + 700, box.y + 90, { steps: 4 });
  await page.mouse.up();
  await untilParameter('from', /^\d{16}$/);
  await untilParameter('max', /^\d+$/);
  await page.locator('.chip', { hasText: 'duration' }).waitFor();
  await expect.poll(() => server.asked.at(-1)?.search).toContain('min_duration_us');
  await page.goBack();
  await untilParameter('from', null);
});

test('the heat map is drawn on by keyboard too, and has a table', async () => {
  await openList();
  await page.locator('.heat-map').focus();
  for (const key of ['ArrowLeft', 'Shift+ArrowLeft', 'Shift+ArrowUp', 'Enter']) {
    await page.keyboard.press(key);
  }
  await untilParameter('from', /^\d{16}$/);
  await page.getByRole('button', { name: 'Table' }).click();
  await page.getByRole('columnheader', { name: 'Requests' }).waitFor();
});

test('filters are completed from real values and become chips', async () => {
  await openList();
  await page.keyboard.press('/');
  await page.keyboard.type('ser');
  await page.keyboard.press('Tab');
  await page.getByRole('option', { name: /^service:payments/ }).waitFor();
  await page.keyboard.type('pay');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await untilParameter('service', 'payments');
  await page.keyboard.type('status:99');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'is not a status' }).waitFor();
  await page.getByRole('button', { name: 'Remove service payments' }).click();
  await untilParameter('service', null);
});

test('by keyboard alone: down the list, into a trace, and back to the same row', async () => {
  await openList();
  for (let i = 0; i < 3; i++) await page.keyboard.press('j');
  await page.keyboard.press('k');
  await page.locator('.trace-rows li:nth-child(2) .is-current').waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.trace-header').waitFor();
  expect(new URL(page.url()).pathname).toMatch(/^\/traces\/\d+$/);
  await page.keyboard.press('u');
  await page.locator('.trace-rows li:nth-child(2) .is-current').waitFor();
});

test('keys move, fold, zoom and open the drawer, and the URL keeps all of it', async () => {
  await openTrace();
  for (const key of ['j', 'j', 'j', 'Enter']) await page.keyboard.press(key);
  const drawer = page.getByRole('complementary', { name: 'Span' });
  await drawer.getByText('The way of the request').waitFor();
  await untilParameter('span', '1000002');
  await page.keyboard.press('+');
  await untilParameter('to', /^\d+$/);
  await page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'detached' });
  await page.keyboard.press('0');
  await page.keyboard.press('C');
  await untilParameter('depth', '1');
  const folded = await page.locator('.row').count();
  await page.reload();
  await page.locator('.row').first().waitFor();
  expect(await page.locator('.row').count()).toBe(folded);
  await page.keyboard.press('E');
  await untilParameter('depth', null);
});

test('the drawer filters the fields and walks to the parent', async () => {
  await openTrace('?span=1000002');
  const drawer = page.getByRole('complementary', { name: 'Span' });
  await drawer.getByPlaceholder('Filter the fields').fill('request_type');
  await expect.poll(() => drawer.locator('.fields > div').count()).toBe(1);
  await drawer.locator('.span-link').first().click();
  await untilParameter('span', '1000001');
});

test('find counts its matches, steps through them, and can hide the rest', async () => {
  await openTrace();
  await page.keyboard.press('f');
  await page.keyboard.type('payments');
  await expect.poll(() => page.locator('.find output').textContent()).toMatch(/^– \/ \d+$/);
  await page.keyboard.press('Enter');
  await expect.poll(() => page.locator('.find output').textContent()).toMatch(/^1 \/ \d+$/);
  await page.keyboard.press('Escape');
  await page.keyboard.press('n');
  await expect.poll(() => page.locator('.find output').textContent()).toMatch(/^2 \/ \d+$/);
  await page.keyboard.press('N');
  await page.keyboard.press('o');
  await expect.poll(() => page.locator('.row:not(.is-match)').count()).toBe(0);
});

test('an uncertain link is drawn dashed, a sure one solid', async () => {
  await openTrace('?view=waterfall');
  const unsure = page.locator('.tree-lines .unsure').first();
  await unsure.waitFor();
  const dash = (selector: string): Promise<string> =>
    page
      .locator(selector)
      .first()
      .evaluate((line) => getComputedStyle(line).strokeDasharray);
  expect(await dash('.tree-lines .unsure')).not.toBe('none');
  expect(await dash('.tree-lines .sure')).toBe('none');
});

test('a threshold cuts unsure links, and an orphan lists its candidates and leads to them', async () => {
  await page.goto(`${server.url}/traces/huge-60`);
  const least = page.getByLabel('Least probability of a link');
  await least.fill('97');
  await untilParameter('least', '97');
  await page.getByText(/^\d+ links? cut$/).waitFor();
  // What was cut off stands below the rest.
  await page.locator('.waterfall-scroll').evaluate((list) => list.scrollTo(0, list.scrollHeight));
  await page.locator('.row', { hasText: 'orphan' }).last().click();
  const drawer = page.getByRole('complementary', { name: 'Span' });
  await drawer.getByText('Possible parents', { exact: true }).waitFor();
  await drawer.getByText('98.7%').waitFor();
  await drawer.getByText(/measured on 12,000 requests/).waitFor();
  const before = new URL(page.url()).searchParams.get('span');
  await drawer.locator('.candidate button').first().click();
  await expect.poll(() => new URL(page.url()).searchParams.get('span')).not.toBe(before);
  await page.reload();
  expect(await least.inputValue()).toBe('97');
});

test('the critical path is marked in both views, and the URL keeps it', async () => {
  await page.goto(`${server.url}/traces/huge-60`);
  await page.locator('.row').first().waitFor();
  expect(await page.locator('.critical').count()).toBe(0);
  await page.keyboard.press('c');
  await untilParameter('critical', '1');
  await expect.poll(() => page.locator('.critical').count()).toBeGreaterThan(2);
});

test('the theme follows the system until it is chosen, and the choice stays', async () => {
  await openList();
  const theme = (): Promise<string | null> => page.locator('html').getAttribute('data-theme');
  expect(await theme()).toBe('dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await expect.poll(theme).toBe('light');
  await page.keyboard.press('T');
  await expect.poll(theme).toBe('dark');
  await page.reload();
  expect(await theme()).toBe('dark');
});

test('the help names the keys of the page and Escape closes it', async () => {
  await openList();
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await help.getByText('open the trace').waitFor();
  await page.keyboard.press('Escape');
  await help.waitFor({ state: 'hidden' });
});

test('nothing found says why and what to do; what was lost stands beside the results', async () => {
  server.setMode('empty');
  await page.goto(`${server.url}/traces`);
  await page.getByText('make demo').waitFor();
  await page.goto(`${server.url}/traces?service=nobody`);
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await untilParameter('service', null);
  server.setMode('lossy');
  await openList();
  await page.getByText('1,234 events lost, 5 rows refused').waitFor();
});

test('an error shows its code and the fix, and trying again recovers', async () => {
  server.setMode('failing');
  await page.goto(`${server.url}/traces`);
  const alert = page.locator('.results').getByRole('alert');
  await alert.getByText('store-down').waitFor();
  await alert.getByText('thalweg doctor').waitFor();
  server.setMode('data');
  await alert.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.trace-rows li').first().waitFor();
});

test('an unknown trace and an unknown page say so', async () => {
  await page.goto(`${server.url}/traces/42`);
  await page.getByText('This trace is not stored').waitFor();
  await page.goto(`${server.url}/nowhere`);
  await page.getByText('There is no such page').waitFor();
});

test('a trace of 10,000 spans is drawn, walked to its end, searched, zoomed and clicked', async () => {
  await page.goto(`${server.url}/traces/huge-10000`);
  await page.locator('.row').first().waitFor();
  expect(await page.locator('.row').count()).toBeLessThan(80);
  await page.keyboard.press('End');
  await page.locator('.row.is-selected').waitFor();
  await untilParameter('span', '1009999');
  await page.keyboard.press('Home');
  await page.keyboard.press('f');
  await page.keyboard.type('1009500');
  await page.keyboard.press('Enter');
  await untilParameter('span', '1009500');
  await page.keyboard.press('Escape');
  await page.keyboard.press('z');
  await untilParameter('from', /^\d+$/);
  await page.keyboard.press('0');
  await page.locator('.flame-scroll').click({ position: { x: 300, y: 10 } });
  await untilParameter('drawer', null);
  await page.getByRole('complementary', { name: 'Span' }).waitFor();
});
