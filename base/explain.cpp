#include "base/explain.hpp"

namespace tamga {

namespace {

// NOLINTNEXTLINE(readability-function-size): as long as there are words.
char const* sentence(Errc code) noexcept {
    switch (code) {
    case Errc::bad_request:
    case Errc::bad_base64:
    case Errc::digest_length:
        return message_id("The site sent a request that cannot be understood. Tell the owner of the site.");
    case Errc::unsupported:
        return message_id("The site asks for something Tamga cannot do. Tell the owner of the site.");
    case Errc::xml_malformed:
        return message_id(
            "The XML document the site sent is damaged and cannot be signed. Tell the owner of the site.");
    case Errc::xml_target:
        return message_id("The site does not say clearly which part of the XML document is to be signed. Tell the "
                          "owner of the site.");
    case Errc::cms_malformed:
        return message_id("A signature cannot be added to this file: it is damaged, or holds a signature without the "
                          "document. Choose a file that holds both.");
    case Errc::file_not_found:
        return message_id("The site named a file that you did not choose for it. Choose the file again on the site.");
    case Errc::raw_refused:
        return message_id(
            "The site asks for a signature that could stand for another document. It was refused; tell the "
            "owner of the site.");
    case Errc::too_large: return message_id("The document is too large. Sign it in smaller parts.");
    case Errc::busy: return message_id("Another request is being handled. Finish it, then try again.");
    case Errc::application_unknown:
        return message_id(
            "There is no application of this number on this computer. The command tamga keys applications "
            "shows those there are.");
    case Errc::application_damaged:
        return message_id("What this computer kept of the application is damaged. Its keys are still on the token: the "
                          "command tamga keys list shows them.");
    case Errc::origin_denied:
        return message_id("This site may not use your keys. If you trust it, ask the administrator of this computer to "
                          "allow it.");
    case Errc::site_refused:
        return message_id("You refused this site. To change that, remove it from the list of refused sites.");
    case Errc::eds_not_required:
        return message_id("This service needs no electronic signature: a login and a password are enough for it. Your "
                          "signature was not asked for; tell the owner of the site.");
    case Errc::service_unknown:
        return message_id("It is not known on this computer for which public service the site wants a signature. Tell "
                          "the owner of the site, or ask the administrator of this computer for its list of services.");
    case Errc::service_origin:
        return message_id("This site may not ask for signatures for that service: it belongs to another site. Open the "
                          "service on its own portal.");
    case Errc::key_work_denied:
        return message_id("This site may not manage your keys. Do it with the command tamga keys.");
    case Errc::user_cancelled:
        return message_id("You cancelled the request. Nothing more is signed; repeat it if you change your mind.");
    case Errc::withdrawn:
        return message_id(
            "The site took its request back. Nothing more is signed; repeat it on the site if you need it.");
    case Errc::timeout: return message_id("The time ran out. Repeat the request on the site.");
    case Errc::prompt_unavailable:
        return message_id("The window could not be shown. Unlock the screen and repeat the request on the site.");
    case Errc::storage_unknown:
        return message_id("The site asks for a kind of token that Tamga does not know. Tell the owner of the site.");
    case Errc::token_absent: return message_id("The token is not plugged in. Plug it in and repeat the request.");
    case Errc::key_not_found:
        return message_id("The token has no key that fits. Plug in another token, or check which keys it holds.");
    case Errc::role_missing:
        return message_id("Your key does not give you the role that this service asks for. Ask the owner of the "
                          "portal's system who may sign, or choose another key.");
    case Errc::pin_incorrect: return message_id("The PIN is wrong. Check the keyboard layout and type it again.");
    case Errc::pin_length: return message_id("The PIN is too short or too long for this token. Type it again.");
    case Errc::pin_locked:
        return message_id(
            "The PIN is locked after too many wrong attempts. How it is unlocked differs from token to token: the "
            "command tamga doctor says it of yours.");
    case Errc::pin_expired: return message_id("The PIN has expired. Change it, then repeat the request.");
    case Errc::password_incorrect:
        return message_id("The password is wrong. Check the keyboard layout and type it again.");
    case Errc::key_file_malformed:
        return message_id("This is not a key file (PKCS#12), or it is damaged. Choose another file.");
    case Errc::key_file_unsupported:
        return message_id("The key file is protected in a way that Tamga does not support. Choose another file.");
    case Errc::mechanism_unsupported:
        return message_id("The token cannot sign with this kind of key. Choose another key.");
    case Errc::algorithm_unavailable:
        return message_id("This kind of key (GOST) needs the package libengine-gost-openssl. Install it, or choose "
                          "another key.");
    case Errc::token_failure:
        return message_id("The token reported a failure. Unplug it, plug it in again and repeat the request.");
    case Errc::token_crashed:
        return message_id(
            "The token's driver stopped and is being started again. Repeat the request in a few seconds.");
    case Errc::card_service_lost:
        return message_id("This computer's smart card service (pcscd) stopped. Repeat the request; if that does not "
                          "help, restart the computer.");
    case Errc::token_timeout:
        return message_id(
            "The token did not answer in time; its driver is being started again. Repeat the request in a few "
            "seconds.");
    case Errc::token_full:
        return message_id(
            "There is no room on the token. Remove a key pair that is not needed any more, then repeat the request.");
    case Errc::token_write_protected: return message_id("Nothing can be written to this token. Ask whoever issued it.");
    case Errc::key_exists: return message_id("The token has a key of this name already. It was left as it is.");
    case Errc::generation_unsupported:
        return message_id(
            "The token cannot make a key pair of this kind. Choose another kind of key, or another token.");
    case Errc::certificate_mismatch:
        return message_id("The certificate belongs to none of the keys on this token. Plug in the token that its "
                          "request was made on.");
    case Errc::pin_unsuitable:
        return message_id("The token does not take this new PIN, or it is the one that such tokens are delivered with. "
                          "Choose another one.");
    case Errc::so_pin_incorrect:
        return message_id("The administrator PIN is wrong. After several wrong ones the token can no longer be "
                          "unlocked: type it with care.");
    case Errc::so_pin_locked:
        return message_id("The administrator PIN is locked: this token can no longer be unlocked. New keys are needed "
                          "on another token.");
    case Errc::mandate_violated:
        return message_id("Something other than what you were shown was to be signed. It was refused; report this.");
    case Errc::issuer_missing:
        return message_id("The certificate of the authority that issued this key is not on this computer, so the key "
                          "cannot be checked. Add it with: tamga ca add FILE.");
    case Errc::certificate_untrusted:
        return message_id("The certificate of this key was not issued by an authority that this computer or the site "
                          "trusts. Choose another key.");
    case Errc::certificate_revoked:
        return message_id("The certificate of this key was revoked: signatures with it are not valid. Get a new one.");
    case Errc::revocation_unknown:
        return message_id("It could not be found out whether the certificate of this key was revoked. Check the "
                          "network and repeat the request.");
    case Errc::renewal_too_late:
        return message_id("The certificate is not valid any more: keys can be renewed only while the present ones are. "
                          "New ones are issued at a registration centre.");
    case Errc::signature_invalid:
        return message_id(
            "The token made a signature that does not verify. It was thrown away; have the token checked.");
    case Errc::timestamp_unavailable:
        return message_id(
            "The time-stamp service did not answer as it should, so the site got no signature. Check the network and "
            "repeat the request later.");
    case Errc::timestamp_invalid:
        return message_id("The time-stamp service sent something that is no valid time-stamp, so the site got no "
                          "signature. If it happens again, report it together with Tamga's log.");
    case Errc::config_invalid:
        return message_id(
            "A configuration file has a mistake. The command tamga doctor names the file and what to correct.");
    case Errc::file_untrusted:
        return message_id(
            "A file Tamga relies on can be changed by other users. The command tamga doctor names it, and the "
            "command that mends it.");
    case Errc::module_unloadable:
        return message_id("The token's driver cannot be loaded. Install the vendor's program for the token; Tamga's "
                          "log says what is wrong.");
    case Errc::port_taken:
        return message_id("Another program, perhaps NCALayer, uses Tamga's port. Close it and try again.");
    case Errc::channel_closed:
        return message_id("A part of Tamga stopped and is being started again. Repeat the request in a few seconds.");
    case Errc::build_mismatch: return message_id("Tamga was just updated. Repeat the request in a few seconds.");
    case Errc::message_malformed:
    case Errc::system:
    case Errc::internal:
        return message_id("Tamga failed. Repeat the request; if it fails again, report it together with Tamga's log.");
    }
    return "";
}

} // namespace

std::string_view explain(Language language, Errc code) noexcept {
    return text(language, sentence(code));
}

} // namespace tamga
