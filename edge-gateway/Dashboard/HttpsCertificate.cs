using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DicomServerless.EdgeGateway.Hosting;
using System.Net.Security;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>The certificate of the HTTP side, read again when its file changes. One that cannot be read then leaves the old one in use.</summary>
internal sealed class HttpsCertificate(Func<HttpOptions> options)
{
    private readonly Lock gate = new();
    private SslStreamCertificateContext? current;
    private (string, DateTime, DateTime) seen;

    /// <summary>The certificate to show now.</summary>
    /// <exception cref="CryptographicException">There has never been one that can be read.</exception>
    public SslStreamCertificateContext Current
    {
        get
        {
            var http = options();
            var found = (http.CertificatePath, File.GetLastWriteTimeUtc(http.CertificatePath), File.GetLastWriteTimeUtc(http.KeyPath));
            lock (gate)
            {
                if (current is not null && found == seen) return current;
                seen = found;
                try
                {
                    var certificate = X509Certificate2.CreateFromPemFile(http.CertificatePath, http.KeyPath);
                    var chain = new X509Certificate2Collection();
                    chain.ImportFromPemFile(http.CertificatePath);
                    if (chain.Count > 0) chain.RemoveAt(0);
                    current = SslStreamCertificateContext.Create(certificate, chain, offline: true);
                }
                catch (Exception exception) when (current is not null && exception is CryptographicException or IOException or UnauthorizedAccessException)
                {
                    // Half written; the next handshake sees the whole.
                }
                return current ?? throw new CryptographicException("The certificate of Gateway:Http cannot be read.");
            }
        }
    }
}
