// provider_ipsec_mb.cpp — batches through intel-ipsec-mb, which has hand-written code for AVX-512,
// AVX2 and SSE.
//
// The library is loaded when somebody asks for this provider, so nobody needs it and nobody who
// does not run a core pays for it. Its entry to everything is a manager, an object that one thread
// may use at a time; this table may be used by many, so a call takes an idle manager and gives it
// back. A manager is made when all are in use: as many as there were ever threads at once, and the
// first one before the table is given out. They are kept until the process ends.
//
// Of our secrets a manager holds addresses only, and of no longer than a call. Debian builds the
// library with SAFE_DATA: it clears its registers and stack itself (docs/security.md).
#include <dlfcn.h>
#include <intel-ipsec-mb.h>
#include <link.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "cipher/aead.h"
#include "cipher/cipher.h"
#include "cipher/provider.h"

namespace tunnel::cipher {

namespace {

constexpr const char* kLibrary = "libIPSec_MB.so.1";
constexpr std::size_t kRound = 64;  // messages whose nonces and tags lie on our stack

// ---- the library

struct Library {
  decltype(&imb_get_version) version;
  decltype(&imb_get_errno) error;
  decltype(&alloc_mb_mgr) allocate;
  decltype(&free_mb_mgr) release;
  decltype(&init_mb_mgr_avx512) use_avx512;
  decltype(&init_mb_mgr_avx2) use_avx2;
  decltype(&init_mb_mgr_sse) use_sse;
};

template <class Function>
bool load(void* handle, const char* name, Function& function) noexcept {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  return function != nullptr;
}

std::int32_t open_library(Library& library) noexcept {
  void* handle = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) return TUNNEL_ERR_UNAVAILABLE;
  const bool complete = load(handle, "imb_get_version", library.version) &&
                        load(handle, "imb_get_errno", library.error) &&
                        load(handle, "alloc_mb_mgr", library.allocate) &&
                        load(handle, "free_mb_mgr", library.release) &&
                        load(handle, "init_mb_mgr_avx512", library.use_avx512) &&
                        load(handle, "init_mb_mgr_avx2", library.use_avx2) &&
                        load(handle, "init_mb_mgr_sse", library.use_sse);
  // An older one may lay its structs out in another way.
  if (!complete || library.version() < IMB_VERSION_NUM) return TUNNEL_ERR_UNAVAILABLE;
  return TUNNEL_OK;
}

// Lets go of the pages of an object's code and constants, when the object holds `function`. They
// come back from its file where they are needed.
int drop_pages(dl_phdr_info* object, std::size_t, void* function) noexcept {
  const std::span<const ElfW(Phdr)> segments(object->dlpi_phdr, object->dlpi_phnum);
  const auto at = reinterpret_cast<std::uintptr_t>(function) - object->dlpi_addr;
  const auto holds = [at](const auto& segment) {
    return segment.p_type == PT_LOAD && at - segment.p_vaddr < segment.p_memsz;
  };
  if (std::none_of(segments.begin(), segments.end(), holds)) return 0;
  constexpr std::uintptr_t kPage = 4096;  // of x86-64
  for (const auto& segment : segments) {
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const auto begin = (object->dlpi_addr + segment.p_vaddr) & ~(kPage - 1);
    const auto end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 1;
}

// ---- managers

bool has(const IMB_MGR& manager, std::uint64_t features) noexcept {
  return (manager.features & features) == features;
}

// The library asks the processor, the compiler's functions the operating system too.
bool runs_avx512() noexcept {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0;
}

std::int32_t start(const Library& library, IMB_MGR& manager) noexcept {
  if (has(manager, IMB_CPUFLAGS_AVX512) && runs_avx512()) {
    library.use_avx512(&manager);
  } else if (has(manager, IMB_CPUFLAGS_AVX2) && __builtin_cpu_supports("avx2") != 0) {
    library.use_avx2(&manager);
  } else if (has(manager, IMB_CPUFLAGS_SSE)) {
    library.use_sse(&manager);
  } else {
    return TUNNEL_ERR_UNSUPPORTED;
  }
  return library.error(&manager) == 0 ? TUNNEL_OK : TUNNEL_ERR_SELF_TEST;
}

// Null, with the reason, when there is none to be had.
IMB_MGR* make_manager(const Library& library, std::int32_t& status) noexcept {
  status = TUNNEL_ERR_MEMORY;
  auto* manager = library.allocate(0);
  if (manager == nullptr) return nullptr;
  status = start(library, *manager);
  if (status == TUNNEL_OK) return manager;
  library.release(manager);
  return nullptr;
}

// Everything the table needs. One per process, never destroyed: other threads may still use it
// while the process ends.
class IpsecMb {
 public:
  std::int32_t start() noexcept {
    auto status = open_library(library_);
    if (status != TUNNEL_OK) return status;
    if (auto* first = make_manager(library_, status)) give(first);
    // Its self-test has walked through all of its code: 3 MiB of which we need very little.
    ::dl_iterate_phdr(drop_pages, reinterpret_cast<void*>(library_.version));
    return status;
  }

  // Null when memory is gone.
  IMB_MGR* take() noexcept {
    for (auto& place : idle_) {
      if (auto* manager = place.exchange(nullptr, std::memory_order_acquire)) return manager;
    }
    std::int32_t status = TUNNEL_OK;
    return make_manager(library_, status);
  }

  void give(IMB_MGR* manager) noexcept {
    for (auto& place : idle_) {
      IMB_MGR* none = nullptr;
      if (place.compare_exchange_strong(none, manager, std::memory_order_release,
                                        std::memory_order_relaxed)) {
        return;
      }
    }
    library_.release(manager);
  }

 private:
  Library library_{};
  std::array<std::atomic<IMB_MGR*>, 64> idle_{};
};

// ---- messages

// What the library reads and writes beside the message.
struct Work {
  Nonce nonce;
  std::array<std::uint8_t, kTag> tag;
};

void describe(IMB_JOB& job, tunnel_aead_job& message, Work& work, std::uint32_t length) noexcept {
  work.nonce = make_nonce(message.counter);
  job.cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
  job.hash_alg = IMB_AUTH_CHACHA20_POLY1305;
  job.enc_keys = message.key;
  job.dec_keys = message.key;
  job.key_len_in_bytes = 32;
  job.iv = work.nonce.data();
  job.iv_len_in_bytes = work.nonce.size();
  job.src = message.in;
  job.dst = message.out;
  job.cipher_start_src_offset_in_bytes = 0;
  job.msg_len_to_cipher_in_bytes = length;
  job.hash_start_src_offset_in_bytes = 0;
  job.msg_len_to_hash_in_bytes = length;
  job.auth_tag_output_len_in_bytes = kTag;
  job.u.CHACHA20_POLY1305.aad = nullptr;
  job.u.CHACHA20_POLY1305.aad_len_in_bytes = 0;
  job.user_data = &message;
  job.user_data2 = &work;
}

struct Sealing {
  static bool wants(const tunnel_aead_job&) noexcept { return true; }

  static void fill(IMB_JOB& job, tunnel_aead_job& message, Work& work) noexcept {
    describe(job, message, work, message.length);
    job.cipher_direction = IMB_DIR_ENCRYPT;
    job.chain_order = IMB_ORDER_CIPHER_HASH;
    job.auth_tag_output = message.out + message.length;
  }

  static void finish(tunnel_aead_job& message, const Work&) noexcept { message.result = TUNNEL_OK; }
};

struct Opening {
  static bool wants(const tunnel_aead_job& message) noexcept { return message.length >= kTag; }

  static void fill(IMB_JOB& job, tunnel_aead_job& message, Work& work) noexcept {
    describe(job, message, work, message.length - static_cast<std::uint32_t>(kTag));
    job.cipher_direction = IMB_DIR_DECRYPT;
    job.chain_order = IMB_ORDER_HASH_CIPHER;
    job.auth_tag_output = work.tag.data();
  }

  // The library has decrypted already, so a forged message is taken away again.
  static void finish(tunnel_aead_job& message, const Work& work) noexcept {
    const std::size_t length = message.length - kTag;
    if (base::equal_constant_time(work.tag, {message.in + length, kTag})) {
      message.result = TUNNEL_OK;
    } else {
      std::memset(message.out, 0, length);
    }
  }
};

template <class Verb>
void finish(const IMB_JOB* job) noexcept {
  if (job->status != IMB_STATUS_COMPLETED) return;
  Verb::finish(*static_cast<tunnel_aead_job*>(job->user_data),
               *static_cast<const Work*>(job->user_data2));
}

template <class Verb>
void run_round(IMB_MGR& manager, std::span<tunnel_aead_job> messages) noexcept {
  std::array<Work, kRound> work;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    messages[i].result = TUNNEL_DROP_FORGED;
    if (!Verb::wants(messages[i])) continue;
    Verb::fill(*manager.get_next_job(&manager), messages[i], work[i]);
    auto* done = manager.submit_job_nocheck(&manager);
    for (; done != nullptr; done = manager.get_completed_job(&manager)) finish<Verb>(done);
  }
  while (const auto* done = manager.flush_job(&manager)) finish<Verb>(done);
  // The right tag of a forged message is what its forger is looking for.
  base::wipe(work.data(), messages.size() * sizeof(Work));
}

// False when there was no manager, and nothing was touched.
template <class Verb>
bool run(IpsecMb& library, std::span<tunnel_aead_job> messages) noexcept {
  auto* manager = library.take();
  if (manager == nullptr) return false;
  for (; !messages.empty(); messages = messages.subspan(std::min(kRound, messages.size()))) {
    run_round<Verb>(*manager, messages.first(std::min(kRound, messages.size())));
  }
  library.give(manager);
  return true;
}

// ---- the table. Where a manager cannot be had, libsodium does the work: its prepared key is the
// same.

std::int32_t key_init(void*, void* memory, const std::uint8_t key[32]) noexcept {
  std::memcpy(memory, key, 32);
  return TUNNEL_OK;
}

void seal(void* self, tunnel_aead_job* jobs, std::size_t count) noexcept {
  if (run<Sealing>(*static_cast<IpsecMb*>(self), {jobs, count})) return;
  const auto other = libsodium_provider();
  other.ops->seal(other.self, jobs, count);
}

void open(void* self, tunnel_aead_job* jobs, std::size_t count) noexcept {
  if (run<Opening>(*static_cast<IpsecMb*>(self), {jobs, count})) return;
  const auto other = libsodium_provider();
  other.ops->open(other.self, jobs, count);
}

constexpr tunnel_cipher_ops kOps{sizeof(tunnel_cipher_ops), 32, "ipsec-mb", key_init, seal, open};

}  // namespace

Provider open_ipsec_mb() noexcept {
  static IpsecMb library;
  return {library.start(), {&kOps, &library}};
}

}  // namespace tunnel::cipher
