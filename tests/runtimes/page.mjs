// The program in a page.
import * as genspan from "genspan/edge";
import { run } from "./program.mjs";

run(genspan, location.origin).then((errors) => {
  document.title = `errors: ${errors}`;
});
