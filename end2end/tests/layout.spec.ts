import { expect, expectNoSidewaysScroll, test } from '../fixtures.ts';
import { newPerson } from '../person.ts';
import { seedChats } from '../seed.ts';

const MONSTER = 'x'.repeat(118);

test('nothing is wider than the screen, down to 360 pixels', async ({ chat, sessions, person, colloquy, page }) => {
  seedChats(colloquy, person.email, [{ title: MONSTER, messages: 2 }, { title: 'محادثة عن الطقس', messages: 2 }, { title: '关于天气的对话', messages: 2 }]);
  await chat.ask(`echo ${MONSTER}${MONSTER} | https://example.org/${MONSTER}`);
  await expect(chat.answer).toContainText(MONSTER);
  const wide = chat.path;
  await chat.openNew();
  await chat.ask('markdown please');
  await expect(chat.answer.locator('math')).toHaveCount(2);
  for (const width of [360, 390, 768, 1024]) {
    await page.setViewportSize({ width, height: 700 });
    for (const path of [chat.path, wide, '/', '/sessions']) {
      await chat.open(path);
      await expectNoSidewaysScroll(page);
    }
  }
  await sessions.open();
  await expect(sessions.rows).toHaveCount(5);
});

test('on phones, menus are sheets at the lower edge, and a tap beside one closes it', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await page.setViewportSize({ width: 390, height: 844 });
  await chat.ask('a menu');
  await expect(chat.answer).toContainText('You said: a menu');
  await page.getByRole('main').getByLabel(/^Actions for/).click();
  const sheet = page.getByRole('main').locator('.menu[open] > .menu-items');
  await expect(async () => {
    const box = await sheet.boundingBox();
    expect(box && [box.x, box.width, Math.round(box.y + box.height)]).toEqual([0, 390, 844]);
  }).toPass();
  await page.mouse.click(195, 200);
  await expect(sheet).toHaveCount(0);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(`with a ${colorScheme} colour scheme`, () => {
    test.use({ colorScheme });

    test('the pages are accessible', async ({ accounts, chat, sessions, page, pageErrors, expectAccessible }) => {
      pageErrors.allow(/status of 404/);
      await accounts.openSignIn();
      await expectAccessible();
      await accounts.signUp(newPerson());
      await expectAccessible();
      await chat.ask('markdown please');
      await expect(chat.answer.locator('math')).toHaveCount(2);
      await expect(chat.send).toBeVisible();
      await expectAccessible();
      await sessions.open();
      await expectAccessible();
      await page.goto('/nowhere');
      await expect(page.getByRole('heading', { name: 'Not found' })).toBeVisible();
      await expectAccessible();
    });
  });
}

test('the page follows the colour scheme of the system', async ({ browser, colloquy, hydrated }) => {
  const lightness: number[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({ baseURL: colloquy.url, colorScheme, javaScriptEnabled: hydrated });
    const page = await context.newPage();
    await page.goto('/sign-up');
    // Read through a canvas, because browsers may return the colour in any CSS notation.
    const [red, green, blue] = await page.evaluate(() => {
      const drawing = document.createElement('canvas').getContext('2d');
      if (!drawing) throw new Error('no canvas');
      drawing.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
      drawing.fillRect(0, 0, 1, 1);
      return drawing.getImageData(0, 0, 1, 1).data;
    });
    lightness.push((red! + green! + blue!) / 3 / 255);
    await context.close();
  }
  expect(lightness[0]).toBeGreaterThan(0.9);
  expect(lightness[1]).toBeLessThan(0.3);
});
