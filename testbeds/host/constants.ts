/** Numbers of the Linux user-space interface that the wrappers of `libc.ts` take (the same on x64 and arm64). */

// open(2), fcntl(2)
export const O_RDONLY = 0;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2_000_000;

// poll(2)
export const POLLIN = 0x1;
export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;

// mmap(2)
export const PROT_READ = 0x1;
export const PROT_WRITE = 0x2;
export const MAP_SHARED = 0x1;
export const MAP_PRIVATE = 0x2;
export const MAP_ANONYMOUS = 0x20;

// namespaces(7)
export const CLONE_NEWNS = 0x2_0000;
export const CLONE_NEWUSER = 0x1000_0000;
export const CLONE_NEWNET = 0x4000_0000;

// mount(2), umount2(2)
export const MS_BIND = 0x1000;
export const MS_REC = 0x4000;
export const MS_SHARED = 0x10_0000;
export const MNT_DETACH = 0x2;

// prctl(2)
export const PR_SET_PDEATHSIG = 1;
export const PR_SET_TIMERSLACK = 29;

// sched_setscheduler(2)
export const SCHED_OTHER = 0;
export const SCHED_FIFO = 1;
export const SCHED_RESET_ON_FORK = 0x4000_0000;

// socket(2)
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_PACKET = 17;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2_000_000;
export const IPPROTO_IP = 0;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_RAW = 255;
export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;

// setsockopt(2)
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_ERROR = 4;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_BINDTODEVICE = 25;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const SO_MAX_PACING_RATE = 47;
export const IP_TOS = 1;
export const IP_MTU_DISCOVER = 10;
export const IP_RECVTOS = 13;
export const IP_PMTUDISC_DO = 2;
export const SOL_UDP = 17;
/** datagrams of so many bytes each are cut out of one buffer (generic segmentation offload) */
export const UDP_SEGMENT = 103;
/** several datagrams of one sender and size come as one buffer */
export const UDP_GRO = 104;
export const TCP_NODELAY = 1;
export const TCP_INFO = 11;
export const TCP_CONGESTION = 13;
export const TCP_CC_INFO = 26;

// packet(7)
export const SOL_PACKET = 263;
export const PACKET_IGNORE_OUTGOING = 23;

// send(2), recv(2)
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
