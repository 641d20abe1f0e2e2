// History: how many are ticked, what fits them, and keys to walk the list (J, K, X, /). All of it works without as well.
(() => {
  const bar = () => document.querySelector("[data-bulk-bar]");
  const ticks = () => [...document.querySelectorAll("[data-bulk] input[name=job]")];
  let kept = new Set(); // what was ticked, over the list's being fetched anew

  function fit() {
    if (!bar()) return;
    const ticked = ticks().filter((tick) => tick.checked);
    kept = new Set(ticked.map((tick) => tick.value));
    const count = bar().querySelector("[data-bulk-count]");
    count.dataset.none ??= count.textContent;
    count.textContent = ticked.length ? interpolate(ngettext("%(count)s job ticked", "%(count)s jobs ticked", ticked.length), { count: ticked.length }, true) : count.dataset.none;
    bar().classList.toggle("on", ticked.length > 0);
    const is = (...states) => ticked.length > 0 && ticked.every((tick) => states.includes(tick.dataset.status));
    const fits = {
      compare: ticked.length === 2 && is("succeeded") && ticked[0].dataset.source === ticked[1].dataset.source,
      retry: is("failed", "cancelled"), cancel: is("queued", "running"), delete: ticked.length > 0, tag: ticked.length > 0, 
      again: is("succeeded", "failed", "cancelled") && ticked.every((tick) => "differs" in tick.dataset), // else nothing would change
    };
    for (const button of bar().querySelectorAll("button[name=action]")) button.disabled = !fits[button.value];
  }

  document.addEventListener("change", (event) => { if (event.target.name === "job") fit(); });
  document.addEventListener("htmx:afterSettle", () => { for (const tick of ticks()) tick.checked = kept.has(tick.value); fit(); });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), select, textarea")) return;
    const links = [...document.querySelectorAll(".job-row h2 a")];
    const row = document.activeElement.closest?.(".job-row");
    const at = links.findIndex((link) => row?.contains(link));
    if (event.key === "/") { event.preventDefault(); document.querySelector("[data-key-search]")?.focus(); }
    else if (event.key === "j") links[Math.min(links.length - 1, at + 1)]?.focus();
    else if (event.key === "k") links[Math.max(0, at - 1)]?.focus();
    else if (event.key === "x" && row) row.querySelector("input[name=job]").click();
  });
  fit();
})();
