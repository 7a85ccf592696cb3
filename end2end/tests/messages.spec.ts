import { expect, test } from '../fixtures.ts';

test('a long message is folded, with and without scripts', async ({ chat, person, expectAccessible }) => {
  expect(person.email).toBeTruthy();
  await chat.ask(Array.from({ length: 40 }, (_, i) => `line ${i + 1}`).join('\n'));
  // Until the answer is complete, the page loads itself again without scripts.
  await expect(chat.retry).toBeVisible();
  const text = chat.questions.last().locator('.bubble-text');
  const height = async () => (await text.boundingBox())?.height ?? 0;
  const folded = await height();
  await chat.questions.last().getByText('Show more').click();
  expect(await height()).toBeGreaterThan(2 * folded);
  await expectAccessible();
  await chat.questions.last().getByText('Show less').click();
  expect(await height()).toBe(folded);
});

test('code in a message is a block, with and without scripts', async ({ chat, person, expectAccessible }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('Why?\n```py\nif a < b:\n    print("<b>")\n```\nThanks & bye');
  const question = chat.questions.last();
  await expect(question.locator('code')).toHaveText('if a < b:\n    print("<b>")');
  await expect(question.locator('code')).toHaveCSS('display', 'block');
  await expect(question.locator('.bubble')).toContainText('Thanks & bye');
  await expect(question.locator('.bubble')).not.toContainText('```');
  await expectAccessible();
});
