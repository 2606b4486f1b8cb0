// keys.cpp — PrivateKey, PresharedKey and PublicKey.
//
// The secret ones are wiped when Python frees them, never print themselves, and are compared in
// constant time. What to_base64() and bytes() give is an ordinary Python object that nobody wipes.
#include "keys.h"

namespace tunnel::python {

namespace {

template <class K>
K checked(Result<K> key, const char* what) {
  check(key.status(), what);
  return std::move(*key);
}

std::span<const std::uint8_t, TUNNEL_KEY_SIZE> key_bytes(const PinnedBytes& pinned) {
  if (pinned.bytes().size() != TUNNEL_KEY_SIZE) refuse_value("a key has 32 bytes");
  return pinned.bytes().first<TUNNEL_KEY_SIZE>();
}

template <class K>
void add_secret(py::class_<K>& type, const char* name) {
  type.def_static(
      "from_base64",
      [](const py::object& text) {
        return K{checked(Key::from_text(to_text(text, "text")), "key from base64")};
      },
      py::arg("text"));
  type.def_static(
      "from_bytes",
      [](const py::object& data) { return K{Key::from_bytes(key_bytes(PinnedBytes(data)))}; },
      py::arg("data"));
  type.def("to_base64", [](const K& key) { return std::string(key.key.secret_text().view()); });
  type.def("__bytes__", [](const K& key) {
    return py::bytes(reinterpret_cast<const char*>(key.key.data()), TUNNEL_KEY_SIZE);
  });
  type.def(
      "__eq__", [](const K& a, const K& b) { return a.key == b.key; }, py::is_operator());
  type.def("__repr__", [name](const K&) { return std::string("<") + name + " (secret)>"; });
  type.attr("__hash__") = py::none();  // a dictionary would compare and keep it
}

void add_public(py::module_& module) {
  py::class_<PublicKey> type(module, "PublicKey");
  type.def_static(
      "from_base64",
      [](const py::object& text) {
        return checked(PublicKey::from_text(to_text(text, "text")), "key from base64");
      },
      py::arg("text"));
  type.def_static(
      "from_bytes",
      [](const py::object& data) {
        const PinnedBytes pinned(data);
        const auto bytes = key_bytes(pinned);
        PublicKey key;
        std::copy(bytes.begin(), bytes.end(), key.bytes.begin());
        return key;
      },
      py::arg("data"));
  type.def("to_base64", [](const PublicKey& key) { return std::string(key.text().view()); });
  type.def("__bytes__", [](const PublicKey& key) {
    return py::bytes(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size());
  });
  type.def(
      "__eq__", [](const PublicKey& a, const PublicKey& b) { return a == b; }, py::is_operator());
  type.def("__hash__", [](const PublicKey& key) {
    return py::hash(py::bytes(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()));
  });
  type.def("__str__", [](const PublicKey& key) { return std::string(key.text().view()); });
  type.def("__repr__", [](const PublicKey& key) {
    return "PublicKey('" + std::string(key.text().view()) + "')";
  });
}

}  // namespace

void add_keys(py::module_& module) {
  add_public(module);
  py::class_<PrivateKey> private_key(module, "PrivateKey");
  private_key.def_static("generate", [] {
    return PrivateKey{checked(Key::generate_private(), "make a private key")};
  });
  private_key.def("public_key", [](const PrivateKey& key) {
    return checked(key.key.public_key(), "make the public key");
  });
  add_secret(private_key, "PrivateKey");
  py::class_<PresharedKey> preshared_key(module, "PresharedKey");
  preshared_key.def_static("generate", [] {
    return PresharedKey{checked(Key::generate_preshared(), "make a preshared key")};
  });
  add_secret(preshared_key, "PresharedKey");
}

}  // namespace tunnel::python
