/** The server of `ccpark serve`, for programs: `ccpark/serve`. */
export { type RunningServer, type ServerOptions, startServer } from "../envs/grpc/server.ts";
export { type ServedDefaults, type ServedHostOptions, servedHost } from "./served-env.ts";
