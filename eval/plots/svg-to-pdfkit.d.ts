declare module "svg-to-pdfkit" {
  /** Draws an SVG at a place of the document's page, in points. */
  export default function svgToPdf(
    pdf: object,
    svg: string,
    x: number,
    y: number,
    options: { readonly assumePt: boolean; readonly fontCallback: () => string },
  ): void;
}
