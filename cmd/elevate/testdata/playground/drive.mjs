// Drives the Playground's pages in a headless Chromium, for playground_test.go, which tells the story. It reads one JSON
// object a line, {"page", "do", "with"}, and answers each with one: {"value"} or {"error"}. It ends with its input.
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const patience = 20_000;

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
const home = (page) => new URL(page.url()).origin + '/';

// A page that shows one person's Playground. What a link opens is not loaded: the story does that.
async function start(name, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1000 } });
  context.setDefaultTimeout(patience);
  await context.route((to) => to.origin + '/' !== url, (route) => route.abort());
  const page = await context.newPage();
  pages[name] = page;
  await page.goto(url);
  await page.getByText('Connected.').first().waitFor();
  await page.getByTitle('Toggle Log Panel').click(); // it repeats what is said
}

// The conversation that is shown, from the list of them.
async function open(page, place) {
  await page.getByRole('treeitem', { name: place }).click();
}

// Types into the box that is for a new message, and sends it. What begins with an @ mentions the bot, as people do: they
// choose it from what pops up.
async function say(page, words) {
  const post = page.getByRole('button', { name: 'Post', exact: true });
  const thread = (await post.count()) > 0;
  const box = page.getByRole('textbox');
  await (thread ? box.first() : box.last()).click();
  const [, name, rest] = words.match(/^@(\S+)( .*)$/) ?? [, '', words];
  if (name) {
    await page.keyboard.type('@' + name.slice(0, 3));
    await page.getByRole('menuitem').filter({ hasText: name }).click();
  }
  await page.keyboard.type(rest);
  await (thread ? post : page.getByLabel('Send Message').last()).click();
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

// Presses a button that opens a page elsewhere, and says where it leads.
async function follow(page, label, ...on) {
  const elsewhere = (r) => r.isNavigationRequest() && !r.url().startsWith(home(page));
  const [led] = await Promise.all([page.context().waitForEvent('request', elsewhere), click(page, label, ...on)]);
  await Promise.all(page.context().pages().map((other) => other === page || other.close()));
  return led.url();
}

const text = (page) => page.evaluate(`(${conversation})().innerText`);
const shot = (page, path) => page.screenshot({ path }).then(() => path);

const acts = { open, say, sees, gone, hears, click, fill, follow, text, shot };

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
