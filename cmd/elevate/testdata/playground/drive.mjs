// Drives the Playground's pages in a headless Chromium, for playground_test.go, which tells the story. It reads one JSON
// object a line, {"page", "do", "with"}, and answers each with one: {"value"} or {"error"}. It ends with its input.
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const patience = 30_000;

const browser = await chromium.launch({
  executablePath: process.argv[2],
  // Chromium's own sandbox does not start as root, which CI is. The pages come from this machine only.
  chromiumSandbox: process.getuid() !== 0,
  args: [
    '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1',
  ],
});

const pages = {};

// A browser of one person's, with their Playground in it.
async function start(name, url) {
  // The sandbox has certificates of its own, which nobody here has installed.
  const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, ignoreHTTPSErrors: true });
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  pages[name] = page;
  await page.goto(url);
  await page.getByText('Connected.').first().waitFor();
  await page.getByTitle('Toggle Log Panel').click(); // it repeats what is said
}

// The button that only channels have.
const post = (page) => page.getByRole('button', { name: 'Post', exact: true });

// Shows a conversation. The names of channels have that of the team before them.
async function open(page, place) {
  const entry = page.getByRole('treeitem', { name: place });
  const isChannel = (await entry.getAttribute('aria-label')) !== place;
  await entry.click();
  await post(page).waitFor({ state: isChannel ? 'visible' : 'detached' });
}

// Types into the box that is for a new message, and sends it. What begins with an @ mentions the bot, as people do: they
// choose it from what pops up.
async function say(page, words) {
  const isChannel = await post(page).isVisible();
  const box = page.getByRole('textbox');
  await (isChannel ? box.first() : box.last()).click();
  const [, name, rest] = words.match(/^@(\S+)( .*)$/) ?? [, '', words];
  if (name) {
    await page.keyboard.type('@' + name.slice(0, 3));
    await page.getByRole('menuitem').filter({ hasText: name }).click();
  }
  await page.keyboard.type(rest);
  await (isChannel ? post(page) : page.getByLabel('Send Message').last()).click();
}

// What stands in the conversation, which is beside the list of conversations: the list repeats what was said last.
const conversation = () => {
  let list = document.querySelector('[aria-label="Chat and Teams Channel"]');
  while (!list.nextElementSibling) list = list.parentElement;
  return list.nextElementSibling;
};

// The newest card that holds all the words. A card that unfolds inside another is a part of it.
const card = (page, words) =>
  words.reduce((found, one) => found.filter({ hasText: one }), page.locator('.ac-preview-panel')).last();

// Waits for a card that shows all the words, and says what it shows.
async function sees(page, ...words) {
  const found = card(page, words);
  await found.waitFor();
  await found.scrollIntoViewIfNeeded();
  return found.innerText();
}

// Waits until no card shows all the words any more.
const gone = (page, ...words) => card(page, words).waitFor({ state: 'detached' });

// Waits for plain words in the conversation.
async function hears(page, words) {
  await page.waitForFunction(`(${conversation})().innerText.includes(${JSON.stringify(words)})`);
}

// Presses a button of the newest card with the words. Where a button unfolded another of its name, that one is meant.
// A button that opens a page is a link to those who do not see.
function click(page, label, ...on) {
  const [found, named] = [card(page, on), { name: label, exact: true }];
  return found.getByRole('button', named).or(found.getByRole('link', named)).last().click();
}

// Fills in a field of the newest card with the words, or chooses in it.
async function fill(page, label, value, ...on) {
  const found = card(page, on);
  const field = found.getByRole('combobox', { name: label }).or(found.getByRole('textbox', { name: label }));
  if ((await field.getAttribute('role')) !== 'combobox') return field.fill(value);
  await field.click();
  await page.getByRole('option', { name: value, exact: true }).click();
}

// Presses the link of a card to sign in with, and signs in as somebody: our own page, Entra's, which lists who is there,
// and our own again. Returns what that one says.
async function signIn(page, account, path, ...on) {
  const [browsed] = await Promise.all([page.context().waitForEvent('page'), click(page, 'Sign in', ...on)]);
  await browsed.getByRole('button').click();
  await browsed.locator(`button[value="${account}"]`).click();
  await browsed.getByText('You are signed in').waitFor();
  await shot(browsed, path);
  const says = await browsed.locator('body').innerText();
  await browsed.close();
  return says;
}

const text = (page) => page.evaluate(`(${conversation})().innerText`);
const shot = (page, path) => page.screenshot({ path }).then(() => path);

const acts = { open, say, sees, gone, hears, click, fill, signIn, text, shot };

// A page behind another is drawn once a second, and acts wait for it.
async function carryOut({ page, do: act, with: given }) {
  if (act === 'start') return start(page, ...given);
  await pages[page].bringToFront();
  return acts[act](pages[page], ...given);
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = { value: (await carryOut(JSON.parse(line))) ?? '' };
  } catch (e) {
    answer = { error: String(e.message ?? e) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
await browser.close();
