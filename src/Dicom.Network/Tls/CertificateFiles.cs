using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace DicomServerless.Dicom.Network;

/// <summary>Certificates from PEM files.</summary>
internal static class CertificateFiles
{
    /// <summary>A certificate with its key and the chain that stands in the same file.</summary>
    public static SslStreamCertificateContext Load(string certificateFile, string keyFile)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(certificateFile);
        using var certificate = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
        // Through PKCS #12: on Windows a key from PEM is not usable for TLS; elsewhere it costs nothing.
        return SslStreamCertificateContext.Create(X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null), chain, offline: true);
    }

    public static X509Certificate2Collection LoadAuthorities(string file)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        if (authorities.Count == 0) throw new System.Security.Cryptography.CryptographicException($"{file} has no certificate.");
        return authorities;
    }

    /// <summary>Whether a certificate chains up to one of the authorities. Intermediates may come with the handshake.</summary>
    public static bool IsTrusted(X509Certificate2 certificate, X509Chain? presented, X509Certificate2Collection authorities)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (presented is not null)
            foreach (var element in presented.ChainElements) chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        return chain.Build(certificate);
    }
}
