/** The part of jstat that we use; the package brings no types. */
declare module "jstat" {
  const jstat: { readonly studentt: { inv(p: number, degreesOfFreedom: number): number } };
  export default jstat;
}
