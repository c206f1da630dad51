// The theme has a second, hidden header, and it is that one's buttons that open the menus: pass
// clicks on.
for (const side of [`primary`, `secondary`]) {
  const [hidden, ...shown] = document.querySelectorAll(`.${side}-toggle`);
  shown.forEach(button => button.addEventListener(`click`, () => hidden.click()));
}

// Names for what has none, for those who listen to the page.
document.querySelectorAll(`summary .toctree-toggle`).forEach(toggle => {
  const page = toggle.closest(`li`).querySelector(`a`).textContent;
  toggle.closest(`summary`).setAttribute(`aria-label`, `Pages in ${page}`);
});
document.querySelectorAll(`.search-button-field`).forEach(button => button.removeAttribute(`aria-label`));
