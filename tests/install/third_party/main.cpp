// The same from C++: headers, initializers and enumerations have to be its too.
#include <iostream>
#include <string>

#include <grove/backend_memory.h>
#include <grove/grove.h>

namespace
{

class Store
{
  public:
    explicit Store(const char *path)
    {
        grove_store_options options = GROVE_STORE_OPTIONS_INIT;
        options.durability = GROVE_DURABILITY_RELAXED;
        if (grove_store_open(path, &options, &store_, &error) != GROVE_OK) {
            store_ = nullptr;
        }
    }
    Store(const Store &) = delete;
    Store &operator=(const Store &) = delete;
    ~Store()
    {
        grove_store_close(store_);
    }
    grove_store *get() const
    {
        return store_;
    }

  private:
    grove_store *store_ = nullptr;
    grove_error error{};
};

bool append(void *context, grove_bytes piece)
{
    static_cast<std::string *>(context)->append(
        reinterpret_cast<const char *>(piece.data), piece.size);
    return true;
}

} // namespace

int main(int argument_count, char **arguments)
{
    if (argument_count != 2) {
        return 2;
    }
    Store store(arguments[1]);
    grove_document_options options = GROVE_DOCUMENT_OPTIONS_INIT;
    grove_document *document = nullptr;
    std::string text;
    bool done =
        store.get() != nullptr &&
        grove_document_open(store.get(), grove_bytes_of("a"), &options, &document,
                            nullptr) == GROVE_OK &&
        grove_text_insert(document, 0, grove_bytes_of("ok"), nullptr) == GROVE_OK &&
        grove_document_save(document, nullptr, nullptr, nullptr) == GROVE_OK &&
        grove_text_each(document, append, &text, nullptr) == GROVE_OK;
    grove_document_close(document);
    if (!done) {
        return 1;
    }
    std::cout << "third party: " << text << "\n";
    return 0;
}
