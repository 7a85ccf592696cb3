// Unsent drafts, when responses are lost and pages change.
import { type Locator, type Page, type Route } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { ChatPage } from '../pages/chat.ts';
import { waitForHydration } from '../hydration.ts';

const SEND = '**/api/send_message';

/** Lets the next message reach the server, but drops the response. */
async function loseNextAnswer(page: Page): Promise<void> {
  await page.route(
    SEND,
    async (route: Route) => {
      await route.fetch();
      await route.abort();
    },
    { times: 1 },
  );
}

/** Records the client ids and texts of messages that are sent from now on. */
function watchSends(page: Page): { id: string; text: string }[] {
  const sent: { id: string; text: string }[] = [];
  page.on('request', (request) => {
    if (!request.url().endsWith('/api/send_message')) return;
    const body = new URLSearchParams(request.postData() ?? '');
    sent.push({ id: body.get('client_id') ?? '', text: body.get('text') ?? '' });
  });
  return sent;
}

/** The list of chats. On a phone this opens it first. */
async function sidebar(page: Page): Promise<Locator> {
  if ((page.viewportSize()?.width ?? 0) >= 1024) return page.locator('.frame > .sidebar');
  const drawer = page.getByRole('dialog', { name: 'Chats' });
  if (!(await drawer.isVisible())) await page.getByRole('button', { name: 'Open sidebar' }).click();
  return drawer;
}

/** Opens a chat from the list. */
async function goTo(page: Page, title: string): Promise<void> {
  await (await sidebar(page)).getByRole('link', { name: title }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(title);
}

/** Opens the page of a new chat from the list. */
async function goToNew(page: Page): Promise<void> {
  await (await sidebar(page)).getByRole('link', { name: 'New chat' }).click();
  await expect(page).toHaveURL(/\/$/);
}

test.beforeEach(({ pageErrors }) => pageErrors.allow(/Failed to load resource/));

test('drafts: a new chat keeps its text while another chat is open, and the field has the focus', async ({ chat, person, page, isMobile }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('First chat');
  await expect(chat.answer).toContainText('You said: First chat');
  // A finger has to ask for the on-screen keyboard.
  const expectReady = () => (isMobile ? expect(chat.composer).not.toBeFocused() : expect(chat.composer).toBeFocused());
  await goToNew(page);
  await expect(chat.send).toBeDisabled();
  await expectReady();
  await chat.composer.fill('half a thought');
  await goTo(page, 'First chat');
  await expect(chat.composer).toHaveValue('');
  await expect(chat.send).toBeDisabled();
  await goToNew(page);
  await expect(chat.composer).toHaveValue('half a thought');
  await expect(chat.send).toBeEnabled();
  await expectReady();
});

test('drafts: after a lost response, the next chat sends its own text', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.openNew();
  await chat.ask('First chat');
  await expect(chat.answer).toContainText('You said: First chat');
  const first = chat.path;
  await chat.openNew();
  await chat.ask('Second chat');
  await expect(chat.answer).toContainText('You said: Second chat');
  await goTo(page, 'First chat');

  const sends = watchSends(page);
  await loseNextAnswer(page);
  await chat.composer.fill('lost on the way');
  await chat.send.click();
  await expect(page.getByRole('alert')).toContainText("Can't reach the server");
  await expect(chat.composer).toHaveValue('lost on the way');

  await goTo(page, 'Second chat');
  await expect(chat.composer).toHaveValue('');
  await chat.composer.fill('another text');
  await chat.send.click();
  await expect(chat.answer).toContainText('You said: another text');
  expect(sends.map(({ text }) => text)).toEqual(['lost on the way', 'another text']);
  expect(sends[0]?.id).not.toBe(sends[1]?.id);

  // The first chat still has the draft, and sending it again does not duplicate the message.
  await goTo(page, 'First chat');
  await expect(chat.composer).toHaveValue('lost on the way');
  await chat.send.click();
  await expect(chat.composer).toHaveValue('');
  await expect(chat.answer).toContainText('You said: lost on the way');
  await expect(chat.questions.filter({ hasText: 'lost on the way' })).toHaveCount(1);
  expect(sends[2]?.id).toBe(sends[0]?.id);
  await chat.open(first);
  await expect(chat.questions.filter({ hasText: 'lost on the way' })).toHaveCount(1);
  await expect(chat.composer).toHaveValue('');
});

test('drafts: Retry and a reload send a text once; a changed text is another message', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.openNew();
  await chat.ask('Hello');
  await expect(chat.answer).toContainText('You said: Hello');
  await loseNextAnswer(page);
  await chat.composer.fill('only once');
  await chat.send.click();
  await page.getByRole('alert').getByRole('button', { name: 'Retry' }).click();
  await expect(chat.answer).toContainText('You said: only once');
  await expect(chat.questions.filter({ hasText: 'only once' })).toHaveCount(1);
  await expect(chat.send).toBeVisible();

  await loseNextAnswer(page);
  await chat.composer.fill('over a reload');
  await chat.send.click();
  await expect(page.getByRole('alert')).toBeVisible();
  await page.reload();
  await chat.open(chat.path);
  await expect(chat.composer).toHaveValue('over a reload');
  await expect(chat.send).toBeVisible();
  await chat.send.click();
  await expect(chat.composer).toHaveValue('');
  await expect(chat.questions.filter({ hasText: 'over a reload' })).toHaveCount(1);
  await expect(chat.send).toBeVisible();

  await loseNextAnswer(page);
  await chat.composer.fill('as it was');
  await chat.send.click();
  await expect(page.getByRole('alert')).toBeVisible();
  await page.reload();
  await chat.open(chat.path);
  await expect(chat.send).toBeVisible();
  await chat.composer.fill('as it is now');
  await chat.send.click();
  await expect(chat.answer).toContainText('You said: as it is now');
  await expect(chat.questions.filter({ hasText: 'as it was' })).toHaveCount(1);
});

test('drafts: a client id that is already in use is replaced', async ({ chat, person, page, pageErrors }) => {
  expect(person.email).toBeTruthy();
  pageErrors.allow(/409/);
  await chat.openNew();
  await chat.ask('Hello');
  await expect(chat.answer).toContainText('You said: Hello');
  await chat.openNew();
  await page.route(
    SEND,
    async (route: Route) => {
      // Another message uses the id first.
      const body = new URLSearchParams(route.request().postData() ?? '');
      body.set('text', 'in between');
      await route.fetch({ postData: body.toString() });
      await route.continue();
    },
    { times: 1 },
  );
  await chat.ask('mends itself');
  await expect(chat.answer).toContainText('You said: mends itself');
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('drafts: a new chat with a lost response is created once, and does not reopen after navigating away', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.openNew();
  await chat.ask('Elsewhere');
  await expect(chat.answer).toContainText('You said: Elsewhere');
  await chat.openNew();
  await loseNextAnswer(page);
  await chat.composer.fill('Made once');
  await chat.send.click();
  await expect(page.getByRole('alert')).toBeVisible();
  await goTo(page, 'Elsewhere');
  await expect(chat.composer).toHaveValue('');
  await goToNew(page);
  await expect(chat.composer).toHaveValue('Made once');
  await chat.ask('Made once');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Made once');
  await page.reload();
  await waitForHydration(page, true);
  await expect((await sidebar(page)).getByRole('link', { name: 'Made once' })).toHaveCount(1);

  // The response arrives while another chat is open.
  await goToNew(page);
  let go = (): void => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  await page.route(
    SEND,
    async (route: Route) => {
      await gone;
      await route.continue();
    },
    { times: 1 },
  );
  await chat.composer.fill('Slowly taken');
  await chat.send.click();
  await goTo(page, 'Elsewhere');
  const answered = page.waitForResponse(SEND);
  go();
  await answered;
  await expect((await sidebar(page)).getByRole('link', { name: 'Slowly taken' })).toBeVisible();
  await expect(page).toHaveTitle(/Elsewhere/);
  await goToNew(page);
  await expect(chat.composer).toHaveValue('');
});

test('drafts: two tabs with one chat send different texts', async ({ chat, person, page, context, hydrated }) => {
  expect(person.email).toBeTruthy();
  await chat.openNew();
  await chat.ask('Two tabs');
  await expect(chat.answer).toContainText('You said: Two tabs');
  const other = new ChatPage(await context.newPage(), hydrated);
  await other.open(chat.path);
  await chat.composer.fill('from the first');
  await other.composer.fill('from the second');
  await chat.send.click();
  await expect(chat.answer).toContainText('You said: from the first');
  await expect(chat.send).toBeVisible();
  await expect(other.composer).toHaveValue('from the second');
  await other.page.bringToFront();
  await other.send.click();
  await expect(other.answer).toContainText('You said: from the second');
  await page.reload();
  await expect(chat.questions).toHaveText([/Two tabs/, /from the first/, /from the second/]);
});
