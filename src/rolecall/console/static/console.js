// The console works without this script. It adds four things to pages that are complete already:
//   data-live="URL"       the element's form is posted there as one types; the answer replaces #data-into
//   data-copy="ID"        a button that copies the text of that element
//   data-fill="ID"        a select that shows only the part of #ID whose data-when is its value
//   data-refresh="SECONDS"  the element is replaced by what the page holds then, until that has no such attribute
"use strict";

const live = (form) => {
  let timer = 0;
  let latest = 0;
  const send = async () => {
    const number = ++latest;
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.live, { method: "POST", body, redirect: "error" });
    if (!answer.ok || number !== latest) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(form.dataset.into);
    const shown = document.getElementById(form.dataset.into);
    if (fresh && shown) shown.replaceWith(document.adoptNode(fresh));
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => send().catch(() => {}), 250);
  });
};

const copy = (button) => {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.dataset.copied = "yes";
    const status = document.getElementById(`${button.dataset.copy}-copied`);
    if (status) status.hidden = false;
  });
};

const fill = (select) => {
  const parts = [...document.getElementById(select.dataset.fill).querySelectorAll("[data-when]")];
  const show = () => {
    for (const part of parts) {
      part.hidden = part.dataset.when !== select.value;
      for (const input of part.querySelectorAll("input, select, textarea")) input.disabled = part.hidden;
    }
  };
  select.addEventListener("change", show);
  show();
};

const refresh = (part) => {
  const again = async () => {
    const answer = await fetch(location.href, { redirect: "error" });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(part.id);
    if (!fresh) return;
    part.replaceWith(document.adoptNode(fresh));
    if (fresh.dataset.refresh) refresh(fresh);
  };
  setTimeout(() => again().catch(() => refresh(part)), Number(part.dataset.refresh) * 1000);
};

document.querySelectorAll("form[data-live]").forEach(live);
document.querySelectorAll("button[data-copy]").forEach(copy);
document.querySelectorAll("select[data-fill]").forEach(fill);
document.querySelectorAll("[data-refresh]").forEach(refresh);
