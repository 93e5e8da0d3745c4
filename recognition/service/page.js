// A photograph in, an answer out.  The photograph goes to the service, and nowhere else.
import { drawPlane, legendItems } from "/assets/plane.js";

const { messages, known, about, limits } = JSON.parse(document.getElementById("page-data").textContent);
const lang = document.documentElement.lang;
const byId = (id) => document.getElementById(id);
// The translation of a message, with the values in the place of %(name)s.
const gettext = (message, values = {}) =>
  (messages[message] ?? message).replace(/%\((\w+)\)s|%%/g, (_, name) =>
    name ? values[name] : "%",
  );
const number = new Intl.NumberFormat(lang);
const twoDigits = new Intl.NumberFormat(lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const percent = new Intl.NumberFormat(lang, { style: "percent" });

// Rounding never makes 100 % of less than everything, nor 0 % of more than nothing.
const share = (fraction) => {
  if (fraction < 1 && fraction >= 0.995) {
    return gettext("over %(share)s", { share: percent.format(0.99) });
  }
  if (fraction > 0 && fraction < 0.005) {
    return gettext("under %(share)s", { share: percent.format(0.01) });
  }
  return percent.format(fraction);
};

// A softmax probability is never 1, except by rounding.
const probability = (fraction) => share(Math.min(fraction, 0.999));

let current = null; // the prediction that is shown
let request = null; // AbortController of the request under way
let preview = null; // an address that only this page can read

const setStatus = (text, isDone = false) => {
  byId("status").textContent = text;
  byId("status").classList.toggle("done", isDone);
};

const showError = (text) => {
  setStatus("");
  byId("problem").textContent = text;
};

const showPlane = () => {
  const axes = [1, 2].map((i) =>
    gettext("component %(i)s (%(share)s of the variance)", {
      i,
      share: share(known.shares[i - 1] ?? 0),
    }),
  );
  const [x, y] = (current?.point ?? []).map((value) => twoDigits.format(value));
  const summary = current
    ? gettext("Scatter plot by label, with your photograph at %(x)s, %(y)s.", { x, y })
    : gettext("Scatter plot of the reference photographs by label.");
  drawPlane(byId("plane"), known, current, { axes, summary, mark: gettext("Your photograph") });
  const others = gettext("other labels");
  byId("legend").replaceChildren(...legendItems(known.labels, current?.label, others));
};

const element = (tag, name, text) =>
  Object.assign(document.createElement(tag), { className: name, textContent: text });

const neighborItem = ({ label, path, similarity, thumbnail }) => {
  const li = document.createElement("li");
  const picture = thumbnail === null
    ? element("span", "no-thumbnail", gettext("no thumbnail"))
    : Object.assign(document.createElement("img"), { src: thumbnail, alt: "" });
  const similar = gettext("similarity %(number)s", { number: twoDigits.format(similarity) });
  const where = Object.assign(element("span", "path", path), { title: path });
  li.append(picture, element("b", "", label), element("span", "similarity", similar), where);
  return li;
};

const show = (answer) => {
  current = answer;
  const isKnown = answer.label !== null;
  byId("label").textContent = isKnown ? answer.label : gettext("Unknown");
  byId("label").classList.toggle("unknown", !isKnown);
  byId("variety").textContent = answer.variety === null
    ? ""
    : gettext("Variety: %(variety)s (probability %(share)s)", {
        variety: answer.variety,
        share: probability(answer.variety_probability),
      });
  byId("meter").hidden = !isKnown;
  byId("meter").firstElementChild.style.width = `${100 * answer.probability}%`;
  byId("probability").textContent = isKnown
    ? gettext("Probability %(share)s", { share: probability(answer.probability) })
    : "";
  byId("explanation").textContent = isKnown
    ? gettext("Among the %(n)s known labels.", { n: number.format(about.n_labels) })
    : gettext("Score %(score)s, threshold %(threshold)s. Most probable known label: %(top_label)s.", {
        score: twoDigits.format(answer.known_score),
        threshold: twoDigits.format(known.unknown_threshold),
        top_label: answer.top_label,
      });
  byId("neighbors").replaceChildren(...answer.neighbors.map(neighborItem));
  document.body.classList.add("answered");
  byId("answer").hidden = false;
  showPlane();
  const summary = ["label", "variety", "probability", "explanation"].map((id) => byId(id).textContent);
  setStatus(summary.filter(Boolean).join(", "), true);
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  byId("answer").scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
};

const showPreview = (file) => {
  if (preview) URL.revokeObjectURL(preview);
  preview = URL.createObjectURL(file);
  byId("photograph").hidden = false;
  byId("no-preview").hidden = true;
  byId("photograph").src = preview;
};

const clearPrediction = () => {
  byId("problem").textContent = "";
  byId("answer").hidden = true;
  current = null;
};

const identify = async (file) => {
  request?.abort();
  clearPrediction();
  if (file.size > limits.max_bytes) {
    const max_mib = number.format(limits.max_mib);
    showError(gettext("File too large: the limit is %(max_mib)s MiB.", { max_mib }));
    return;
  }
  const mine = new AbortController();
  request = mine;
  setStatus(gettext("Identifying the photograph…"));
  showPreview(file);
  try {
    const response = await fetch(`/identify?lang=${lang}`, {
      method: "POST",
      body: file,
      headers: { "Content-Type": "application/octet-stream" },
      signal: mine.signal,
    });
    const value = await response.json();
    if (request !== mine) return; // a newer request replaced this one
    if (response.ok) show(value);
    else showError(value.message);
  } catch (error) {
    if (request !== mine) return;
    showError(gettext("The service does not respond; check that it is running."));
  }
};

const askFirst = (files) => {
  if (files.length) identify(files[0]);
};

byId("photograph").addEventListener("error", () => {
  byId("photograph").hidden = true;
  byId("no-preview").hidden = false;
});

for (const [button, input] of [["choose", "file"], ["take", "camera"]]) {
  byId(button).addEventListener("click", (event) => {
    event.stopPropagation(); // or the area around would send the file too
    byId(input).click();
  });
  byId(input).addEventListener("change", () => {
    askFirst(byId(input).files);
    byId(input).value = ""; // so that the same photograph can be chosen again
  });
}
byId("drop").addEventListener("click", (event) => {
  if (event.target !== byId("file") && event.target !== byId("camera")) byId("file").click();
});

// The whole window takes a drop: a browser would leave the page for a photograph beside the area.
window.addEventListener("dragover", (event) => {
  event.preventDefault();
  byId("drop").classList.add("over");
});
window.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) byId("drop").classList.remove("over");
});
window.addEventListener("drop", (event) => {
  event.preventDefault();
  byId("drop").classList.remove("over");
  if (event.dataTransfer.files.length) askFirst(event.dataTransfer.files);
  else showError(gettext("Not a file; save the image first, then drop the file."));
});
window.addEventListener("paste", (event) => askFirst(event.clipboardData.files));

let drawnWidth = 0;
new ResizeObserver(() => {
  const width = byId("plane").clientWidth;
  if (width !== drawnWidth) {
    drawnWidth = width;
    showPlane();
  }
}).observe(byId("plane"));

byId("accuracy").textContent = share(about.accuracy);
byId("interval").textContent = gettext("95 %% interval: %(low)s to %(high)s", {
  low: percent.format(about.accuracy_low),
  high: percent.format(about.accuracy_high),
});
byId("n-photographs").textContent = number.format(about.n_photographs);
byId("made").textContent = gettext("Classifier of %(date)s, PCA model %(model)s.", {
  date: new Date(about.made_at).toLocaleDateString(lang, { dateStyle: "long" }),
  model: about.model_id,
});
