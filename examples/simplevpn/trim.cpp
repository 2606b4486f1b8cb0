#include "trim.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <span>

namespace simplevpn {

namespace {

// Code that is not independent of its place was written to where it was loaded.
bool relocates_code(std::uintptr_t base, std::span<const ElfW(Phdr)> segments) noexcept {
  for (const auto& segment : segments) {
    if (segment.p_type != PT_DYNAMIC) continue;
    const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(base + segment.p_vaddr);
    for (; entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == DT_TEXTREL) return true;
      if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0) return true;
    }
  }
  return false;
}

// Pages that may have been written to stay. An object whose pages cannot be let go, as the kernel's
// own, keeps them.
int drop_clean_pages(dl_phdr_info* object, std::size_t, void*) noexcept {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const std::span segments(object->dlpi_phdr, object->dlpi_phnum);
  if (relocates_code(object->dlpi_addr, segments)) return 0;
  for (const auto& segment : segments) {
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void trim_memory() noexcept {
  malloc_trim(0);
  dl_iterate_phdr(drop_clean_pages, nullptr);
}

}  // namespace simplevpn
