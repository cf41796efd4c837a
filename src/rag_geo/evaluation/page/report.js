"use strict";
(() => {
  const form = document.querySelector(".filters");
  const cards = [...document.querySelectorAll(".card")];
  const none = document.querySelector(".none-left");
  const words = new Map();
  const wanted = () => ({
    kind: form.kind.value,
    outcome: form.outcome.value,
    tier: form.tier ? form.tier.value : "",
    text: form.words.value.trim().toLowerCase(),
    wrong: form.wrong.checked,
  });
  const textOf = (card) => {
    if (!words.has(card)) words.set(card, card.textContent.toLowerCase());
    return words.get(card);
  };
  const fits = (card, now) =>
    (!now.kind || card.dataset.kind === now.kind) &&
    (!now.outcome || card.dataset.outcome === now.outcome) &&
    (!now.tier || card.dataset.tier === now.tier) &&
    (!now.wrong || card.dataset.level === "bad" || card.dataset.level === "warn") &&
    (!now.text || textOf(card).includes(now.text));
  const filter = () => {
    const now = wanted();
    let shown = 0;
    for (const card of cards) {
      card.hidden = !fits(card, now);
      shown += !card.hidden;
    }
    none.hidden = shown > 0;
    document.querySelector(".toolbar output").value = shown === cards.length ? `${shown} in all` : `${shown} of ${cards.length}`;
  };
  const openLinked = () => {
    const card = document.getElementById(location.hash.slice(1));
    if (!card || !card.classList.contains("card")) return;
    card.hidden = false;
    card.open = true;
    card.scrollIntoView();
  };
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.open.addEventListener("click", () => cards.forEach((card) => { if (!card.hidden) card.open = true; }));
  form.close.addEventListener("click", () => cards.forEach((card) => { card.open = false; }));
  for (const link of document.querySelectorAll("a[data-kind]"))
    link.addEventListener("click", () => { form.reset(); form.kind.value = link.dataset.kind; filter(); });
  addEventListener("hashchange", openLinked);
  filter();
  openLinked();
})();
