// signing/xml.hpp, judged by xmlsec1.
#include "signing/to_be_signed.hpp"
#include "signing/xml.hpp"
#include "tests/unit/signing_fixtures.hpp"

#include <chrono>

namespace tamga::signing {
namespace {

std::string repeated(std::string_view text, std::size_t count) {
    std::string out;
    out.reserve(text.size() * count);
    for (std::size_t i = 0; i < count; ++i)
        out += text;
    return out;
}

Error refusal(std::string_view xml, XmlTarget const& target = {}) {
    auto const document = XmlDocument::parse(xml, target);
    EXPECT_FALSE(document) << xml.substr(0, 200);
    return document ? Error{} : document.error();
}

std::string canonical(std::string_view xml, XmlTarget const& target = {}) {
    auto const document = XmlDocument::parse(xml, target);
    EXPECT_TRUE(document) << (document ? "" : document.error().detail);
    return std::string{as_text(*document->canonical())};
}

class Xml : public testing::Test {
protected:
    void SetUp() override { m_scratch.write("ca.pem", test::ca_certificate_pem()); }

    static std::string sign(Signer const& signer, std::string_view xml, XmlTarget const& target = {}) {
        auto document = XmlDocument::parse(xml, target);
        EXPECT_TRUE(document) << (document ? "" : document.error().detail);
        auto const to_be_signed = document->prepare(signer.certificate, sha256(*document->canonical()));
        EXPECT_TRUE(to_be_signed) << (to_be_signed ? "" : to_be_signed.error().detail);
        auto const text = document->finish(signer.key.sign(*to_be_signed));
        EXPECT_TRUE(text);
        return *text;
    }

    test::Outcome verify(std::string_view xml, std::string const& options = "") {
        m_scratch.write("signed.xml", as_view(xml));
        return m_scratch.attempt("xmlsec1 --verify --trusted-pem ca.pem " + options + " signed.xml");
    }

    test::Scratch m_scratch;
};

/// What portals send, and what parsers and serialisers like to break.
constexpr char const* documents[] = {
    "<a/>",
    "<?xml version=\"1.0\" encoding=\"windows-1251\"?><login><time>2026</time>Привет</login>",
    "<root>\r\n  <line>one\r\ntwo</line>&#13;\r\n</root>\r\n",
    "<!-- before --><?instruction x?><root><!-- inside -->text</root><!-- after -->",
    "<p:root xmlns:p=\"urn:p\" xmlns=\"urn:default\" xmlns:unused=\"urn:u\"><p:a><b xmlns=\"\"/></p:a></p:root>",
    "<root xmlns=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:ds=\"urn:not-dsig\" ds:a=\"1\"/>",
    "<root xml:lang=\"kk\" xml:space=\"preserve\"> <a xml:lang=\"ru\"/> </root>",
    "<root><![CDATA[<not & markup> ]]]]><![CDATA[>]]></root>",
    "<root z=\"1\" xmlns:b=\"urn:b\" b:a='\"' a='&lt;&amp;&#9;&#10;&#13;&quot;>' m=\"\n\t\">&gt;&quot;'</root>",
    "<құжат атрибут=\"Ңұқәғөі\">\xf0\x9f\x96\x8b &#x1F58B; &#1178;</құжат>",
    "\xef\xbb\xbf<root/>",
    "<root><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:Object>not "
    "ours</ds:Object></ds:Signature></root>",
};

class XmlOfEveryKind : public Xml, public testing::WithParamInterface<char const*> {};
INSTANTIATE_TEST_SUITE_P(Document, XmlOfEveryKind, testing::ValuesIn(documents));

TEST_P(XmlOfEveryKind, IsVerifiedByXmlsecWithItsContentUntouched) {
    auto const text = sign(rsa_signer(), GetParam());

    auto const verdict = verify(text, "--node-xpath \"(//*[local-name()='SignatureValue'])[last()]/..\"");
    EXPECT_EQ(verdict.status, 0) << verdict.output << text;
    auto const begin = text.rfind("<ds:Signature xmlns:ds=");
    auto const end = text.rfind("</ds:Signature>") + std::string_view{"</ds:Signature>"}.size();
    auto const without = text.substr(0, begin) + text.substr(end);
    EXPECT_EQ(canonical(without), canonical(GetParam()));
    EXPECT_EQ(text.substr(begin, end - begin).find_first_of("\r\n"), std::string::npos) << "compact";
}

TEST_F(Xml, IsWrittenAsNcalayerWritesIt) {
    auto const text = sign(ec_signer(), "<a>x</a>");

    EXPECT_TRUE(
        text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?><a>x<ds:Signature xmlns:ds="
                         "\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo><ds:CanonicalizationMethod "))
        << text;
    EXPECT_TRUE(text.ends_with("</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature></a>")) << text;
    EXPECT_EQ(verify(text).status, 0);
}

TEST_F(Xml, SignedTwiceHasBothSignaturesAndTheLastCoversTheFirst) {
    auto const once = sign(rsa_signer(), "<a><b/></a>");
    auto const twice = sign(ec_signer(), once);

    EXPECT_EQ(verify(once).status, 0);
    auto const verdict = verify(twice, "--node-xpath \"/a/*[local-name()='Signature'][2]\"");
    EXPECT_EQ(verdict.status, 0) << verdict.output;
}

TEST_F(Xml, ChangedAfterwardsIsRefused) {
    auto text = sign(rsa_signer(), "<a><sum>100</sum></a>");
    text.replace(text.find("100"), 3, "900");

    EXPECT_NE(verify(text).status, 0);
}

TEST_F(Xml, PartIsSignedByItsId) {
    std::string const xml = "<e:env xmlns:e=\"urn:e\" xml:lang=\"kk\"><e:head/><e:body Id=\"body-1\">"
                            "<!-- c --><x e:y=\"1\"/></e:body></e:env>";
    XmlTarget const target{"/e:env/e:body", "//e:head"};

    auto const text = sign(rsa_signer(), xml, target);

    EXPECT_EQ(canonical(xml, target),
              "<e:body xmlns:e=\"urn:e\" Id=\"body-1\" xml:lang=\"kk\"><x e:y=\"1\"></x></e:body>");
    EXPECT_NE(text.find("<e:head><ds:Signature "), std::string::npos) << text;
    auto const verdict = verify(text, "--id-attr:Id urn:e:body");
    EXPECT_EQ(verdict.status, 0) << verdict.output << text;
    auto changed = text;
    changed.replace(changed.find("e:y=\"1\""), 7, "e:y=\"2\"");
    EXPECT_NE(verify(changed, "--id-attr:Id urn:e:body").status, 0);
}

TEST_F(Xml, PartInheritsNamespacesAndXmlAttributesFromEveryLevelAndNothingFromBeside) {
    std::string const xml =
        "<?before x?><a xmlns='urn:1' xmlns:p='urn:p' xml:lang='ru' plain='1'><!-- c -->text<x xmlns:x='urn:x'/>"
        "<b xmlns:p='urn:q' xml:space='preserve' xml:lang='kk'><c Id='c' p:k='v'>\n <p:d xmlns=''/></c>tail</b>"
        "<z/></a><?after x?>";
    XmlTarget const target{"/a/b/c", "/a/z"};

    auto const text = sign(ec_signer(), xml, target);

    EXPECT_EQ(canonical(xml, target), "<c xmlns=\"urn:1\" xmlns:p=\"urn:q\" Id=\"c\" xml:lang=\"kk\" "
                                      "xml:space=\"preserve\" p:k=\"v\">\n <p:d xmlns=\"\"></p:d></c>");
    auto const verdict = verify(text, "--id-attr:Id urn:1:c");
    EXPECT_EQ(verdict.status, 0) << verdict.output << text;
}

TEST_F(Xml, WholeDocumentCanCarryItsSignatureAnywhere) {
    auto const text = sign(ec_signer(), "<a><b/><c/></a>", {"", "/a/b"});

    EXPECT_NE(text.find("<b><ds:Signature "), std::string::npos);
    EXPECT_EQ(verify(text).status, 0);
}

TEST(XmlTarget, IsFoundByTheSubsetOfXPath) {
    std::string const xml = "<a><b Id='i1' k='x'/><b Id='i2' k='y'/><c><b Id='i3' k='x'/><d/></c></a>";
    auto const found = [&](std::string const& path) { return canonical(xml, {path, "//d"}); };

    EXPECT_EQ(found("/a/b[2]"), "<b Id=\"i2\" k=\"y\"></b>");
    EXPECT_EQ(found("/a/b[@k='x']"), "<b Id=\"i1\" k=\"x\"></b>");
    EXPECT_EQ(found("//c/b"), "<b Id=\"i3\" k=\"x\"></b>");
    EXPECT_EQ(found("//b[@Id=\"i3\"][1]"), "<b Id=\"i3\" k=\"x\"></b>");
}

TEST(XmlTarget, OutsideOfTheSubsetOrAmbiguousIsRefused) {
    std::string const xml = "<a><b Id='i1'/><b Id='i2'/><d/></a>";
    for (char const* path : {"a",
                             "/",
                             "//",
                             "/a/",
                             "/a//b",
                             "/a/b",
                             "//b",
                             "/a/b[0]",
                             "/a/b[3]",
                             "/a/b[1",
                             "/a/b[last()]",
                             "/a/*",
                             "/a/b/@Id",
                             "/a/b[@Id]",
                             "/a/b[@Id='i1' or 1]",
                             "id('i1')",
                             "/a/b|/a/d",
                             "/a/../a/b[1]",
                             "/child::a/b[1]",
                             "/a/b[-1]",
                             "/a/b[@Id='i1]",
                             "/a/text()",
                             "document('/etc/passwd')",
                             "/a/b[99999999999999999999]",
                             "/a:b:c",
                             "/z"}) {
        EXPECT_EQ(refusal(xml, {path, "//d"}).code, Errc::xml_target) << path;
        EXPECT_EQ(refusal(xml, {"/a/b[1]", path}).code, Errc::xml_target) << path;
    }
}

TEST(XmlTarget, OfALongPathIsRefused) {
    EXPECT_EQ(refusal("<a><b Id='x'/><d/></a>", {"/a/b" + repeated("[1]", 1000), "/a/d"}).code, Errc::xml_target);
    EXPECT_EQ(canonical("<a><b Id='x'/><d/></a>", {"/a/b" + repeated("[1]", 100), "/a/d"}), "<b Id=\"x\"></b>");
}

TEST(XmlTarget, ThatCouldBeTakenForAnotherElementIsRefused) {
    XmlTarget const target{"/a/b", "/a/d"};

    EXPECT_EQ(refusal("<a><b Id='x'/><c Id='x'/><d/></a>", target).code, Errc::xml_target);
    EXPECT_EQ(refusal("<a><b Id='x'/><c id='x'/><d/></a>", target).code, Errc::xml_target);
    EXPECT_EQ(refusal("<a><b Id='x'/><c ID='&#120;'/><d/></a>", target).code, Errc::xml_target);
    EXPECT_EQ(refusal("<a><b Id='x' id='x'/><d/></a>", target).code, Errc::xml_target);
    EXPECT_EQ(refusal("<a><b Id='x'/><c xml:id='x'/><d/></a>", target).code, Errc::xml_target);
    EXPECT_EQ(refusal("<a><b/><d/></a>", target).code, Errc::xml_target);
    EXPECT_EQ(refusal("<a><b Id=''/><d/></a>", target).code, Errc::xml_target);
    EXPECT_EQ(refusal("<a><b Id='1x'/><d/></a>", target).code, Errc::xml_target);
    EXPECT_EQ(refusal("<a><b Id=\"x'&quot;\"/><d/></a>", target).code, Errc::xml_target);
    EXPECT_EQ(refusal("<a><b Id='x)'/><d/></a>", target).code, Errc::xml_target);
}

TEST(XmlTarget, CannotHoldItsOwnSignature) {
    EXPECT_EQ(refusal("<a Id='x'><b/></a>", {"/a", ""}).code, Errc::xml_target);
    EXPECT_EQ(refusal("<a Id='x'><b/></a>", {"/a", "/a/b"}).code, Errc::xml_target);
}

TEST(XmlRefusal, HasTheWordsAndThePlaceThatXercesGives) {
    auto const detail = [](std::string_view xml) {
        auto const error = refusal(xml);
        EXPECT_EQ(error.code, Errc::xml_malformed);
        return error.detail;
    };

    EXPECT_EQ(detail("<this>is not a valid XML"), "lineNumber: 1; columnNumber: 25; XML document structures must start "
                                                  "and end within the same entity.");
    EXPECT_EQ(detail(""), "lineNumber: 1; columnNumber: 1; Premature end of file.");
    EXPECT_EQ(detail("abc"), "lineNumber: 1; columnNumber: 1; Content is not allowed in prolog.");
    EXPECT_EQ(detail("<a>\n<b></a>"),
              "lineNumber: 2; columnNumber: 6; The element type \"b\" must be terminated by the "
              "matching end-tag \"</b>\".");
    EXPECT_EQ(detail("<a/><b/>"),
              "lineNumber: 1; columnNumber: 5; The markup in the document following the root element "
              "must be well-formed.");
    EXPECT_EQ(detail("<a/>x"), "lineNumber: 1; columnNumber: 5; Content is not allowed in trailing section.");
    EXPECT_EQ(detail("<a>&foo;</a>"),
              "lineNumber: 1; columnNumber: 9; The entity \"foo\" was referenced, but not declared.");
    EXPECT_EQ(detail("<a>Қ\xf0\x9f\x96\x8b"),
              "lineNumber: 1; columnNumber: 7; XML document structures must start and end "
              "within the same entity.");
}

TEST(XmlRefusal, IsOneLineForWhateverIsWrong) {
    using namespace std::string_literals;
    for (auto const& xml :
         {"<a"s, "<a b='1' b='2'/>"s, "<p:a/>"s, "<a xmlns='relative'/>"s, "<a xmlns:p='relative'/>"s,
          " <?xml version='1.0'?><a/>"s, "<a x='<'/>"s, "<a>\x01</a>"s, "<a>\xff</a>"s, "<a>\0</a>"s, "<\0a\0/\0>\0"s,
          "\xff\xfe<\0a\0"s, "<a>&#0;</a>"s, "<a:b:c/>"s, "<!-- -- --><a/>"s, "<?xml?><a/>"s, "\x4c\x6f\xa7\x94"s}) {
        auto const error = refusal(xml);

        EXPECT_EQ(error.code, Errc::xml_malformed) << xml;
        EXPECT_TRUE(error.detail.starts_with("lineNumber: ")) << error.detail;
        EXPECT_EQ(error.detail.find('\n'), std::string::npos) << error.detail;
    }
}

TEST(XmlRefusal, MeetsEveryDoctypeBeforeItIsRead) {
    std::string laughs = "<?xml version=\"1.0\"?>\n<!DOCTYPE lolz [<!ENTITY lol0 \"lol\">";
    for (char c = '1'; c <= '9'; ++c) {
        laughs += std::string{"<!ENTITY lol"} + c + " \"" +
                  repeated(std::string{"&lol"} + static_cast<char>(c - 1) + ";", 10) + "\">";
    }
    laughs += "]><lolz>&lol9;</lolz>";
    static constexpr std::string_view words =
        "DOCTYPE is disallowed when the feature \"http://apache.org/xml/features/disallow-doctype-decl\" set to true.";

    EXPECT_EQ(refusal(laughs).detail, "lineNumber: 2; columnNumber: 10; " + std::string{words});
    for (char const* xml : {"<!DOCTYPE a><a/>", "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
                            "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
                            "<!DOCTYPE a PUBLIC \"p\" \"http://127.0.0.1:1/x.dtd\"><a/>",
                            "<!DOCTYPE a [<!ENTITY % p SYSTEM \"x\">%p;]><a/>"}) {
        EXPECT_EQ(refusal(xml).detail, "lineNumber: 1; columnNumber: 10; " + std::string{words}) << xml;
    }
}

TEST(XmlLimits, HoldForDepthSizeAttributesAndNamespaces) {
    auto const started = std::chrono::steady_clock::now();
    std::string attributes;
    std::string namespaces;
    for (int i = 0; i < 300'000; ++i)
        attributes += " a" + std::to_string(i) + "=''";
    for (int i = 0; i < 250; ++i)
        namespaces += " xmlns:n" + std::to_string(i) + "='urn:x'";

    EXPECT_EQ(refusal(repeated("<a>", 10'000) + repeated("</a>", 10'000)).code, Errc::too_large);
    EXPECT_EQ(refusal("<a>" + std::string(max_xml_size, 'x') + "</a>").code, Errc::too_large);
    EXPECT_EQ(refusal("<r><!-- > --><![CDATA[>]]><?p >?><a b='>'" + attributes + "/></r>").code, Errc::too_large);
    EXPECT_EQ(refusal("<r><!--> <x ' --><a" + repeated(" a=\"\"", 300'000) + "/></r>").code, Errc::too_large);
    EXPECT_EQ(refusal("<r" + namespaces + ">" + repeated("<a/>", 1'000'000) + "</r>").code, Errc::too_large);
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds{5});
}

TEST(XmlLimits, HoldForElementsThatAreManyAndDeep) {
    auto const deep = [](std::size_t depth, std::size_t count, std::string_view namespaces) {
        return "<r" + std::string{namespaces} + ">" + repeated("<a>", depth) + repeated("<b/>", count) +
               repeated("</a>", depth) + "</r>";
    };
    std::string twelve;
    for (int i = 0; i < 12; ++i)
        twelve += " xmlns:n" + std::to_string(i) + "='urn:x'";

    EXPECT_EQ(refusal(deep(248, 700'000, "")).code, Errc::too_large);
    EXPECT_EQ(refusal(deep(200, 120'000, twelve)).code, Errc::too_large) << "each namespace is looked for from each";
    EXPECT_EQ(refusal(deep(200, 12'000, twelve)).code, Errc::too_large) << "a small document may do little";
    EXPECT_GT(canonical(deep(248, 10'000, "")).size(), 70'000U);
    EXPECT_GT(canonical(deep(20, 100'000, twelve)).size(), 700'000U);
}

TEST(XmlLimits, HoldForWhatAPathLooksThrough) {
    auto const chains = "<r>" + repeated(repeated("<a>", 60) + repeated("</a>", 60), 100) + "<s/></r>";
    std::string attributes;
    for (int i = 0; i < 200; ++i)
        attributes += " a" + std::to_string(i) + "=''";
    auto const crowd = "<r>" + repeated("<e" + attributes + " z='1'/>", 20) + "<s/></r>";
    auto const outcome = [](std::string const& xml, std::string const& path) {
        XmlWork work{0};
        auto const document = XmlDocument::parse(xml, {"", path}, work);
        return document ? std::optional<Errc>{} : document.error().code;
    };

    EXPECT_EQ(outcome(chains, "/" + repeated("/a", 500)), Errc::too_large);
    EXPECT_EQ(outcome(crowd, "//e" + repeated("[@z='1']", 110)), Errc::too_large);
    EXPECT_EQ(outcome(chains, "//s"), std::nullopt);
    EXPECT_EQ(outcome(crowd, "/r/s"), std::nullopt);
    EXPECT_EQ(outcome(crowd, "/r/e[@z='1'][20]"), std::nullopt);
}

TEST(XmlLimits, AreForAllDocumentsOfARequestTogether) {
    auto const xml = "<r>" + repeated(repeated("<a>", 60) + repeated("</a>", 60), 100) + "</r>";
    XmlWork work{0};

    auto const first = XmlDocument::parse(xml, {}, work);
    auto const second = XmlDocument::parse(xml, {}, work);
    auto const third = XmlDocument::parse(xml, {}, work);

    EXPECT_TRUE(first && second);
    EXPECT_EQ(third.error().code, Errc::too_large);
}

TEST(XmlLimits, LetAUsualLargeDocumentPass) {
    auto const xml = "<a><b>" + std::string(12 * 1024 * 1024, 'x') + "</b>" + repeated("<c/>", 200) + "</a>";

    EXPECT_GT(canonical(xml).size(), xml.size());
}

TEST(XmlDocument, IncludesNothing) {
    std::string const xml = "<a xmlns:xi=\"http://www.w3.org/2001/XInclude\"><xi:include href=\"file:///etc/passwd\" "
                            "parse=\"text\"></xi:include></a>";

    EXPECT_EQ(canonical(xml), xml.substr(0, xml.find("<xi:")) +
                                  "<xi:include href=\"file:///etc/passwd\" parse=\"text\">"
                                  "</xi:include></a>");
}

TEST(XmlDocument, RefusesADigestOfAnotherLengthAndAValueBeforeItsTime) {
    auto document = XmlDocument::parse("<a/>", {});

    EXPECT_EQ(document->prepare(rsa_signer().certificate, Bytes(20)).error().code, Errc::digest_length);
    EXPECT_EQ(document->finish(Bytes(256)).error().code, Errc::internal);
}

} // namespace
} // namespace tamga::signing
