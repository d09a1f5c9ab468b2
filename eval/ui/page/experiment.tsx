/** An experiment or an evaluation: what it says, the rows that it judged, its pictures. */
import { address, type RowLine, type Run } from "./api.ts";
import { Sentences } from "./parts.tsx";

const pictureId = (file: string): string => `picture-${file}`;

function Verdicts({
  rows,
  pictures,
}: {
  readonly rows: readonly RowLine[];
  readonly pictures: readonly string[];
}) {
  return (
    <div class="scroll">
      <table id="verdicts">
        <thead>
          <tr>
            {["row", "verdict", "measured", "threshold", "what is asked for", "section", "level"].map(
              (title) => (
                <th key={title} scope="col" class="text">
                  {title}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ row, verdict, quantity, measured, threshold, requirement, section, level, why }) => (
            <tr key={row}>
              <th scope="row">
                {pictures.includes(`${row}.svg`) ? (
                  <button
                    type="button"
                    class="linklike"
                    onClick={() => document.getElementById(pictureId(`${row}.svg`))?.scrollIntoView()}
                  >
                    {row}
                  </button>
                ) : (
                  row
                )}
              </th>
              <td class={`text ${verdict}`} data-of="verdict">
                {verdict}
              </td>
              <td class="text" data-of="measured">
                <span>
                  {why ?? measured} {quantity !== undefined && <span class="muted">{quantity}</span>}
                </span>
              </td>
              <td class="text" data-of="threshold">
                {threshold ?? "–"}
              </td>
              <td class="text" data-of="what is asked for">
                {requirement}
              </td>
              <td class="text" data-of="section">
                {section}
              </td>
              <td class="text" data-of="level">
                {level}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Experiment({ run }: { readonly run: Run }) {
  const rows = run.evaluation ?? [];
  const placeOf = (file: string): number => rows.findIndex(({ row }) => file === `${row}.svg`);
  const pictures = (run.pictures ?? [])
    .filter((file) => file.endsWith(".svg"))
    .sort((a, b) => placeOf(a) - placeOf(b));
  return (
    <>
      <Sentences sentences={run.entry.sentences} />
      {rows.length > 0 && <Verdicts rows={rows} pictures={pictures} />}
      {pictures.map((file) => (
        <figure key={file} id={pictureId(file)} class="picture">
          <figcaption>{file.replace(/\.svg$/, "")}</figcaption>
          <img
            loading="lazy"
            alt={`${file} of ${run.entry.name}`}
            src={address("/api/picture", { id: run.entry.id, file })}
          />
        </figure>
      ))}
      {run.report !== undefined && <pre>{run.report}</pre>}
    </>
  );
}
