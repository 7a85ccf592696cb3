// Reading while an answer is written: the question is at the top, and nothing moves that is being read.
import type { Locator } from '@playwright/test';
import { expect, test } from '../fixtures.ts';
import { waitForHydration } from '../hydration.ts';
import { seedChats } from '../seed.ts';

/** The distance of an element from the top of the scroller, in pixels. */
async function distance(element: Locator): Promise<number> {
  return element.evaluate((element) => {
    const scroller = element.closest('.scroller');
    return element.getBoundingClientRect().top - (scroller?.getBoundingClientRect().top ?? 0);
  });
}

/** Expects that a question is 16 px below the header. */
async function expectAtTop(question: Locator): Promise<void> {
  await expect.poll(async () => Math.abs((await distance(question)) - 16)).toBeLessThan(3);
}

test('the question is at the top after sending, and stays there while the answer grows', async ({ chat, person, colloquy }) => {
  const [path] = seedChats(colloquy, person.email, [{ title: 'Long', messages: 30 }]);
  await chat.open(path ?? '');
  await chat.composer.fill('paragraphs 60');
  await chat.send.click();
  const question = chat.questions.last().locator('.bubble');
  await expectAtTop(question);
  const before = await distance(question);
  await expect(chat.answer).toContainText('Paragraph 30');
  expect(Math.abs((await distance(question)) - before)).toBeLessThan(2);
  await expect(chat.answer).toContainText('Paragraph 60');
  await expect(chat.retry).toBeVisible();
  expect(Math.abs((await distance(question)) - before)).toBeLessThan(2);
  await expect(chat.jumpToLatest).toBeVisible();
  await chat.jumpToLatest.click();
  await expect(chat.answer.getByText('Paragraph 60')).toBeInViewport();
});

test('the first question of a new chat does not move while its long answer grows', async ({ chat, person }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('paragraphs 100');
  const question = chat.questions.first().locator('.bubble');
  await expectAtTop(question);
  const before = await distance(question);
  for (const paragraph of [40, 70, 100]) {
    await expect(chat.answer).toContainText(`Paragraph ${paragraph} `);
    expect(Math.abs((await distance(question)) - before)).toBeLessThan(2);
  }
});

test('a short answer leaves the question where it is', async ({ chat, person, colloquy, page }) => {
  const [path] = seedChats(colloquy, person.email, [{ title: 'Long', messages: 30 }]);
  await chat.open(path ?? '');
  await chat.composer.fill('a short one');
  await chat.send.click();
  await expect(chat.answer).toContainText('You said: a short one');
  await expect(chat.retry).toBeVisible();
  const question = chat.questions.last().locator('.bubble');
  await expectAtTop(question);
  await expect(chat.jumpToLatest).toHaveCount(0);

  // As when the keyboard of a phone closes.
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
  await page.setViewportSize({ width, height: height + 200 });
  await expectAtTop(question);
});

test('after a retry the question is at the top, although it was out of sight', async ({ chat, person, colloquy }) => {
  const [path] = seedChats(colloquy, person.email, [{ title: 'Long', messages: 30 }]);
  await chat.open(path ?? '');
  await chat.composer.fill('paragraphs 40');
  await chat.send.click();
  await expect(chat.answer).toContainText('Paragraph 40 of', { timeout: 20_000 });
  await expect(chat.retry).toBeVisible();
  await chat.page.reload();
  await expect(chat.retry).toBeInViewport();
  await waitForHydration(chat.page, true);
  await chat.retry.click();
  await expectAtTop(chat.questions.last().locator('.bubble'));
});

test('a reader who goes to the end follows it', async ({ chat, person, colloquy }) => {
  const gate = `follow-${person.email}`;
  await chat.ask('paragraphs 40');
  await expect(chat.answer).toContainText('Paragraph 40');
  await expect(chat.retry).toBeVisible();
  await chat.composer.fill('paragraphs 200');
  await chat.send.click();
  await expect(chat.jumpToLatest).toBeVisible();
  await chat.jumpToLatest.click();
  await expect(chat.answer).toContainText('Paragraph 200', { timeout: 20_000 });
  await expect(chat.answer.getByText('Paragraph 200')).toBeInViewport();
  colloquy.upstream.release(gate);
});

test('a reader who scrolls to the end follows it', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('paragraphs 400');
  await expect(chat.jumpToLatest).toBeVisible();
  await expect(async () => {
    await chat.scrollBy(100_000);
    await expect(chat.jumpToLatest).toBeHidden({ timeout: 300 });
    // It has grown meanwhile, and is still at its end.
    await page.waitForTimeout(250);
    await expect(chat.jumpToLatest).toBeHidden({ timeout: 50 });
  }).toPass();
  await expect(chat.answer).toContainText('Paragraph 400 ', { timeout: 20_000 });
  await expect(chat.answer.getByText('Paragraph 400 ')).toBeInViewport();
});

test('retry with another model', async ({ chat, person }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('which model');
  await expect(chat.answer).toContainText('(quick)');
  await chat.answer.getByLabel('Retry with another model').click();
  await chat.answer.getByRole('button', { name: 'careful' }).click();
  await expect(chat.answer).toContainText('(careful)');
  await chat.composer.focus();
  await expect(chat.modelPicker).toContainText('careful');
});

test('the details of an answer', async ({ chat, person, expectAccessible }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('tell me about it');
  await expect(chat.retry).toBeVisible();
  await chat.answer.getByLabel('More').click();
  await expect(chat.answer.getByRole('definition').first()).toHaveText('quick');
  await expect(chat.answer.locator('.details'), 'not cut off by the transcript').toBeInViewport({ ratio: 1 });
  await expectAccessible();
});

test('the reasoning shows its last line and its time, which is kept', async ({ chat, person, colloquy, page }) => {
  const gate = `ponder-${person.email}`;
  await chat.ask(`ponder ${gate}`);
  await expect(chat.answer.locator('.thinking-line')).toHaveText('Second thing.');
  await expect(chat.answer.getByText(/^Thinking…/)).toHaveCount(1);
  await expect(chat.answer.getByText(/^Thinking… \d+ s$/)).toBeVisible();
  // Also while the model writes nothing.
  await expect(chat.answer.getByText(/^Thinking… [3-9] s$/)).toBeVisible();
  colloquy.upstream.release(gate);
  await expect(chat.answer).toContainText('I thought about it.');
  const time = chat.answer.getByText(/^Thought for \d+ seconds?$/);
  await expect(time).toBeVisible();
  const text = await time.innerText();
  await page.reload();
  await expect(chat.answer.getByText(text)).toBeVisible();
});

test('going back to a chat leads to where it was read, a link to its end', async ({ chat, person, colloquy, page }) => {
  const [first = ''] = seedChats(colloquy, person.email, [
    { title: 'The one', messages: 60 },
    { title: 'The other', messages: 60 },
  ]);
  const goTo = async (title: string) => {
    const onPhone = (page.viewportSize()?.width ?? 0) < 1024;
    if (onPhone) await page.getByRole('button', { name: 'Open sidebar' }).click();
    const list = onPhone ? page.getByRole('dialog', { name: 'Chats' }) : page.locator('.frame > .sidebar');
    await list.getByRole('link', { name: title }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(title);
  };
  await chat.open(first);
  await chat.scrollBy(-900);
  await expect(chat.jumpToLatest).toBeVisible();
  // The place is noted a moment after the reader has stopped.
  await page.waitForTimeout(400);
  const { text, top } = await chat.middleParagraph();
  await goTo('The other');
  await expect(page.getByText('Message 60 of 60.')).toBeInViewport();
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('The one');
  await expect.poll(async () => Math.abs((await chat.paragraphTop(text)) - top)).toBeLessThan(4);
  await goTo('The other');
  await goTo('The one');
  await expect(page.getByText('Message 60 of 60.')).toBeInViewport();
  await expect(chat.jumpToLatest).toBeHidden();
});
