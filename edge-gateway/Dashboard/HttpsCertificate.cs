using System.Net.Security;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>
/// The certificate of the HTTP side. The files are looked at before each handshake; changed ones that are bad leave the old certificate in use, and the log
/// says so once for each content.
/// </summary>
internal sealed class HttpsCertificate(Func<HttpOptions> options)
{
    private readonly Lock gate = new();
    private CertificateSource? files;
    private (string, string) paths;
    private string? lastProblem;

    /// <summary>Hears of files that cannot be used.</summary>
    public ILogger Log { get; set; } = NullLogger.Instance;

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
                if (files!.Refresh(out var problem) && problem is not null) GatewayLog.HttpsCertificateRefused(Log, problem);
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
            lastProblem = null;
        }
        catch (Exception exception) when (files is not null && exception is IOException or System.Security.Cryptography.CryptographicException)
        {
            // Other files, and not whole yet: the old ones stay, and the next handshake tries again.
            if (exception.Message == lastProblem) return;
            lastProblem = exception.Message;
            GatewayLog.HttpsCertificateRefused(Log, exception.Message);
        }
    }
}
