import { expect, test } from '../fixtures.ts';

test('a long message is folded, with and without scripts', async ({ chat, person, expectAccessible }) => {
  expect(person.email).toBeTruthy();
  await chat.ask(Array.from({ length: 40 }, (_, i) => `line ${i + 1}`).join('\n'));
  const text = chat.questions.last().locator('.bubble-text');
  const height = async () => (await text.boundingBox())?.height ?? 0;
  const folded = await height();
  await chat.questions.last().getByText('Show more').click();
  expect(await height()).toBeGreaterThan(2 * folded);
  await expectAccessible();
  await chat.questions.last().getByText('Show less').click();
  expect(await height()).toBe(folded);
});
