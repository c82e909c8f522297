using System.Net.Security;
using System.Security.Authentication;

namespace DicomServerless.Dicom.Network;

/// <summary>What the profiles mean for .NET.</summary>
internal static class TlsProfiles
{
    public static SslProtocols Protocols(TlsProfile profile) => profile == TlsProfile.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary>The cipher suites; null where the system's own choice holds, as on systems that do not let programs choose.</summary>
    public static CipherSuitesPolicy? Suites(TlsProfile profile)
    {
        if (OperatingSystem.IsWindows() || OperatingSystem.IsAndroid()) return null;
        // RFC 9325 4.2: the recommended suites, and those of TLS 1.3.
        List<TlsCipherSuite> suites =
        [
            TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
            TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ];
        if (profile == TlsProfile.Bcp195)
        {
            // Still allowed by RFC 9325 where a peer has nothing better: forward secrecy with finite-field groups.
            suites.AddRange([TlsCipherSuite.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384, TlsCipherSuite.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256]);
        }
        return new CipherSuitesPolicy(suites);
    }
}
