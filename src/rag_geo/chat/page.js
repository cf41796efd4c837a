// What the page does beyond Gradio's components: buttons inside the shown HTML become orders to the server, sources are
// scrolled to, texts are copied and saved, and what happens is said to who does not see it. Texts from the server are
// only ever set as text.

const WAIT_MS = 20000;
const LOOK_MS = 10;
const SURE_MS = 4000;

let number = 0;
let current = null; // the button whose paragraph is shown

const part = (id) => document.getElementById(id);
const field = (id) => part(id)?.querySelector("textarea, input");

/** Put a text into one of Gradio's text boxes as if it had been typed. */
function type(box, text) {
  const kind = box instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
  Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(box, text);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Say something to a screen reader. */
function say(text) {
  const said = part("rg-said");
  if (said && said.textContent !== text) said.textContent = text;
}

let latest = Promise.resolve(); // the order that was given last

/** Give an order to the server; resolves with its reply once that has been shown. There is one box: one at a time. */
function order(what) {
  const mine = latest.then(() => send(what));
  latest = mine.catch(() => {});
  return mine;
}

function send(what) {
  const mine = String(++number);
  const box = field("order");
  if (!box) return Promise.reject(new Error("the page is not ready"));
  type(box, JSON.stringify({ ...what, order: mine }));
  const end = performance.now() + WAIT_MS;
  return new Promise((resolve, reject) => {
    const look = () => {
      let reply = {};
      try {
        reply = JSON.parse(field("reply")?.value || "{}");
      } catch {
        // half of a reply is none
      }
      if (reply.order === mine) requestAnimationFrame(() => resolve(reply));
      else if (performance.now() > end) reject(new Error("no reply"));
      else setTimeout(look, LOOK_MS);
    };
    look();
  });
}

// --- the source beside the chat ---

const reader = () => part("reader");

async function open(button) {
  const { file, paragraph, start, end, support } = button.dataset;
  const turn = button.closest("[data-turn]")?.dataset.turn ?? "";
  const reply = await order({ do: "source", file, paragraph, start, end, support, turn });
  if (reply.error) return say(reply.error);
  current?.removeAttribute("aria-current");
  current = button;
  button.setAttribute("aria-current", "true");
  document.body.classList.add("rg-reading");
  const wanted = reader()?.querySelector(".rg-wanted");
  const target = reader()?.querySelector("#quote") ?? wanted;
  target?.scrollIntoView({ block: "center" });
  wanted?.focus({ preventScroll: true });
}

function close() {
  document.body.classList.remove("rg-reading");
  current?.removeAttribute("aria-current");
  if (current?.isConnected) current.focus();
  current = null;
}

/** Open the citation before or after the one that is shown, or the first or last. */
function step(by) {
  const marks = [...document.querySelectorAll("#talk .rg-mark")];
  if (!marks.length) return say("There is no citation yet.");
  const at = marks.indexOf(current) >= 0 ? marks.indexOf(current) : marks.findIndex((each) => same(each, current));
  const next = at < 0 ? (by > 0 ? 0 : marks.length - 1) : (at + by + marks.length) % marks.length;
  marks[next].scrollIntoView({ block: "nearest" });
  void open(marks[next]).catch(failed);
}

function same(a, b) {
  return b !== null && a.dataset.cite !== undefined && a.dataset.cite === b.dataset.cite;
}

// --- keeping ---

async function copy(button) {
  const reply = order({ do: "copy", turn: button.dataset.turn }).then((each) => {
    if (each.error) throw new Error(each.error);
    return each.text;
  });
  try {
    const blob = reply.then((text) => new Blob([text], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
  } catch {
    copyOld(await reply);
  }
  say("Copied.");
  flash(button, "Copied");
}

/** For addresses that a browser does not call secure: there is no clipboard but the selection's. */
function copyOld(text) {
  const box = document.createElement("textarea");
  box.value = text;
  box.className = "rg-unseen";
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
}

async function save(what) {
  const reply = await order(what);
  if (reply.error) return say(reply.error);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([reply.text], { type: "text/plain" }));
  link.download = reply.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  say(`Saved as ${reply.name}.`);
}

function flash(button, text, ms = 1500) {
  // What it says at rest: it may be pressed again before that is put back.
  button.dataset.label ??= button.textContent;
  button.textContent = text;
  setTimeout(() => {
    if (button.isConnected) button.textContent = button.dataset.label;
  }, ms);
}

function edit(button) {
  const words = button.closest(".rg-searched")?.querySelector("q")?.textContent ?? "";
  const box = field("question");
  if (!box || box.disabled) return;
  type(box, words);
  box.focus();
}

/** Whether a button that asks once more was pressed once more. */
function sure(button) {
  const { confirm } = button.dataset;
  if (!confirm || button.textContent === confirm) return true;
  flash(button, confirm, SURE_MS);
  say(confirm);
  return false;
}

// --- what was clicked or pressed ---

const ACTS = {
  copy,
  edit,
  receipt: (button) => save({ do: "receipt", turn: button.dataset.turn }),
  remove: async (button) => {
    if (!sure(button)) return;
    const reply = await order({ do: "remove", file: button.dataset.file });
    say(reply.error ?? "The document is being removed.");
  },
  restore: async (button) => {
    const reply = await order({ do: "restore", file: button.dataset.file });
    say(reply.error ?? "The document is being taken back.");
  },
};

const BUTTONS = {
  "save-markdown": () => save({ do: "save-markdown" }),
  "save-json": () => save({ do: "save-json" }),
  previous: () => step(-1),
  next: () => step(1),
  close,
};

function failed(error) {
  say(error instanceof Error ? error.message : String(error));
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  if (!button) return;
  const act = button.dataset.act ? ACTS[button.dataset.act] : button.dataset.file ? open : BUTTONS[button.id];
  if (act) Promise.resolve(act(button)).catch(failed);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("rg-reading")) {
    event.preventDefault();
    close();
  } else if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    step(event.key === "ArrowDown" ? 1 : -1);
  }
});

// --- what happens is said, and what is new is in sight ---

let told = "";

function tell() {
  const states = document.querySelectorAll("#now .rg-status strong");
  const text = states.length ? states[states.length - 1].closest(".rg-status") : null;
  const word = text?.querySelector("strong")?.textContent ?? "";
  const why = text?.querySelector(".rg-why")?.textContent ?? "";
  const now = why ? `${word}. ${why}` : word;
  if (now && now !== told) {
    told = now;
    say(now);
  }
}

let turn = "";

/** A new question is brought into sight; what follows grows below it and moves nothing. */
function follow() {
  const latest = document.querySelector("#now [data-turn]");
  if (latest && latest.dataset.turn !== turn) {
    turn = latest.dataset.turn;
    latest.scrollIntoView({ block: "start" });
  }
}

new MutationObserver(() => {
  if (!part("now")) return;
  tell();
  follow();
}).observe(document.body, { childList: true, subtree: true, characterData: true });
