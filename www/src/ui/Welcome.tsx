// The page without traces: where to send some, which files to drop, and samples.
import { SAMPLES } from "../samples.js";
import { connection, info, readSample, words } from "../state.js";

export function Welcome() {
  const w = words.value;
  const addresses = info.value?.endpoints;
  return (
    <main class="welcome">
      <div class="welcome-box">
        <p class="welcome-mark" aria-hidden="true">
          ◆
        </p>
        <h2>{w.welcome}</h2>
        {addresses && connection.value.state !== "static" && (
          <>
            <p>{w.welcomeLive}</p>
            <dl class="pairs addresses">
              <div>
                <dt>HTTP</dt>
                <dd>{addresses.http}</dd>
              </div>
              {addresses.grpc && (
                <div>
                  <dt>gRPC</dt>
                  <dd>{addresses.grpc}</dd>
                </div>
              )}
            </dl>
          </>
        )}
        <p>{w.welcomeText}</p>
        <h3>{w.samples}</h3>
        <Samples />
      </div>
    </main>
  );
}

export function Samples() {
  return (
    <ul class="samples">
      {SAMPLES.map(({ file, name, note }) => (
        <li key={file}>
          <button type="button" class="sample" onClick={() => readSample(file, name)}>
            <b>{name}</b>
            <span>{note}</span>
            <span aria-hidden="true">→</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
