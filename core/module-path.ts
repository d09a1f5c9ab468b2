/** Whether a name is a module's path rather than an algorithm's name. */
export function isModulePath(name: string): boolean {
  return /[\\/]/.test(name) || /\.(m?js|m?ts)$/.test(name);
}
