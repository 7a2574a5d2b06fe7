// What a page knows before anything is loaded into it: how it is asked (browser.py has the other side), and
// what it complains of meanwhile. An array is {dtype, shape, data} here, and goes and comes by its bits.
globalThis.conformance = (() => {
  const kinds = { float32: Float32Array, float64: Float64Array, float16: Uint16Array, bool: Uint8Array,
    int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array,
    uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array };
  const complaints = [];
  let lost = "";
  const hear = (...words) => complaints.push(words.map((word) => word?.stack ?? String(word)).join(" "));
  const told = console.error;
  console.error = (...words) => { hear(...words); told.apply(console, words); };
  addEventListener("error", (event) => hear(event.message));
  addEventListener("unhandledrejection", (event) => hear(event.reason));

  const request = globalThis.GPUAdapter?.prototype.requestDevice;
  if (request) GPUAdapter.prototype.requestDevice = async function (...given) {
    const device = await request.apply(this, given);
    device.lost.then((info) => {
      if (info.reason !== "destroyed") lost ||= `WebGPU's device was lost: ${info.message}`;
    });
    device.addEventListener("uncapturederror", (event) => hear(event.error.message));
    return device;
  };
  for (const canvas of [HTMLCanvasElement, globalThis.OffscreenCanvas].filter(Boolean)) {
    const get = canvas.prototype.getContext;
    canvas.prototype.getContext = function (...given) {
      const context = get.apply(this, given);
      if (context && String(given[0]).startsWith("webgl"))
        this.addEventListener("webglcontextlost", () => { lost ||= "WebGL's context was lost"; });
      return context;
    };
  }

  const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const textOf = (bytes) => {
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768)
      text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return btoa(text);
  };
  const taken = (given) => {
    if (Array.isArray(given)) return given.map(taken);
    if (given === null || typeof given !== "object") return given;
    const { dtype, shape, bits } = given;
    if (bits !== undefined) return { dtype, shape, data: new kinds[dtype](bytesOf(bits).buffer) };
    return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, taken(value)]));
  };
  const sent = (found) => {
    if (Array.isArray(found)) return found.map(sent);
    if (found === null || typeof found !== "object") return found;
    if (ArrayBuffer.isView(found.data)) {
      const { buffer, byteOffset, byteLength } = found.data;
      const bits = textOf(new Uint8Array(buffer, byteOffset, byteLength));
      return { dtype: found.dtype, shape: [...found.shape], bits };
    }
    return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, sent(value)]));
  };

  const answer = async (compute, given, seconds) => {
    complaints.length = 0;
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(() => resolve(lost = `no answer of the page within ${seconds} s`), 1000 * seconds);
    });
    try {
      const found = sent(await Promise.race([compute(taken(given)), late]));
      await new Promise((resolve) => setTimeout(resolve));  // events of this call come before its answer
      return { found, complaint: complaints.join("; "), lost };
    } catch (error) {
      return { error: `${error?.message ?? error}`, complaint: complaints.join("; "), lost };
    } finally {
      clearTimeout(timer);
    }
  };
  return { answer };
})();
