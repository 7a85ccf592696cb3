// The list of the model picker.
import { expect, test } from '../fixtures.ts';

const MODELS = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta', 'iota'];

test.use({
  serverSettings: {
    COLLOQUY_PROVIDERS__SCRIPTED__MODELS: MODELS.join(','),
    COLLOQUY_PROVIDERS__SCRIPTED__CONTEXT: '32768',
    COLLOQUY_DEFAULT_MODEL: 'scripted/alpha',
  },
});

test('a model is picked with the keyboard', async ({ chat, person, page, isMobile, expectAccessible }) => {
  expect(person.email).toBeTruthy();
  await chat.composer.focus();
  await chat.modelPicker.press('Enter');
  await expect(chat.models).toHaveCount(9);
  await expect(chat.models.first()).toHaveText(/alpha.*scripted · 32K context/);
  await expect(chat.model('alpha')).toHaveAttribute('aria-selected', 'true');
  await expectAccessible();
  if (!isMobile) {
    await expect(page.getByRole('searchbox', { name: 'Search models' })).toBeFocused();
    await page.keyboard.press('ArrowDown');
  }
  await expect(chat.model('alpha')).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(chat.model('beta')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(chat.models).toHaveCount(0);
  await expect(chat.modelPicker).toContainText('beta');
  await expect(chat.modelPicker).toBeFocused();

  await page.keyboard.press('Enter');
  await expect(chat.model('beta')).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Escape');
  await expect(chat.models).toHaveCount(0);
  await expect(chat.modelPicker).toBeFocused();
  await chat.ask('Who are you?');
  await expect(chat.answer).toContainText('You said: Who are you? (beta)');
});

test('a model is found by its name, and remembered', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.openModels();
  const search = page.getByRole('searchbox', { name: 'Search models' });
  await search.fill('ETA');
  await expect(chat.models).toHaveCount(4);
  await search.fill('nothing like it');
  await expect(page.getByText('No model found.')).toBeVisible();
  await search.fill('zeta');
  await expect(chat.models).toHaveCount(1);
  await search.press('Enter');
  await expect(chat.modelPicker).toContainText('zeta');
  await expect(page).toHaveURL(/\/$/);
  await chat.openNew();
  await chat.composer.focus();
  await expect(chat.modelPicker).toContainText('zeta');
});

test('the list of models is inside of the window', async ({ chat, person, page }) => {
  await chat.ask(`hello from ${person.name}`);
  await expect(chat.send).toBeVisible();
  for (const [width, height] of [[1280, 800], [360, 640], [844, 390]] as const) {
    await page.setViewportSize({ width, height });
    for (const path of ['/', chat.path]) {
      await chat.open(path);
      await chat.openModels();
      const box = (await page.locator('.models').boundingBox())!;
      const size = `${width}x${height} ${path}`;
      expect(Math.min(box.x, box.y), size).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width, size).toBeLessThanOrEqual(width);
      expect(box.y + box.height, size).toBeLessThanOrEqual(height);
      expect(box.height, size).toBeGreaterThan(120);
      await page.keyboard.press('Escape');
    }
  }
});

test('on a phone the composer has one line until it is used', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.ask('hello');
  await expect(chat.send).toBeVisible();
  await page.setViewportSize({ width: 390, height: 844 });
  const height = async () => (await page.locator('.composer').boundingBox())?.height ?? 0;
  await chat.composer.blur();
  await expect(chat.modelPicker).toBeHidden();
  expect(await height()).toBeLessThanOrEqual(60);
  await chat.composer.focus();
  await expect(chat.modelPicker).toBeVisible();
  // Lying on its side, the phone shows both in one line.
  await page.setViewportSize({ width: 844, height: 390 });
  await expect(chat.modelPicker).toBeVisible();
  expect(await height()).toBeLessThanOrEqual(60);
});
