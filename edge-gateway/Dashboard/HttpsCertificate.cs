using System.Net.Security;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Hosting;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>
/// The certificate of the HTTP side. The files are looked at before each handshake; changed ones that are bad leave the old certificate in use.
/// </summary>
internal sealed class HttpsCertificate(Func<HttpOptions> options)
{
    private readonly Lock gate = new();
    private CertificateSource? files;
    private (string, string) paths;

    /// <summary>The certificate to show now.</summary>
    /// <exception cref="IOException">A file cannot be read, and there is no older certificate.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file cannot be used, and there is no older certificate.</exception>
    public SslStreamCertificateContext Current
    {
        get
        {
            var http = options();
            lock (gate)
            {
                if (files is null || paths != (http.CertificatePath, http.KeyPath)) Open(http);
                files!.Refresh(out _);
                return files.Certificate!;
            }
        }
    }

    private void Open(HttpOptions http)
    {
        try
        {
            files = new CertificateSource(http.CertificatePath, http.KeyPath, null);
            paths = (http.CertificatePath, http.KeyPath);
        }
        catch (Exception exception) when (files is not null && exception is IOException or System.Security.Cryptography.CryptographicException)
        {
            // Other files, and not whole yet: the old ones stay, and the next handshake tries again.
        }
    }
}
