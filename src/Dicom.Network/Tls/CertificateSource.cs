using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace DicomServerless.Dicom.Network;

/// <summary>
/// A certificate with its key, and certificate authorities, from PEM files. The files are read again when their content changes; files that are bad then leave
/// the old ones in use.
/// Safe for use by several threads.
/// </summary>
public sealed class CertificateSource
{
    private readonly string? certificateFile;
    private readonly string? keyFile;
    private readonly string? authorityFile;
    private readonly Lock gate = new();
    private string stamp;
    private SslStreamCertificateContext? certificate;
    private X509Certificate2Collection? authorities;

    /// <summary>Reads the files.</summary>
    /// <param name="certificateFile">The certificate, followed by those between it and its authority; null or empty for none.</param>
    /// <param name="keyFile">Its private key, not encrypted; null or empty if it is in the same file.</param>
    /// <param name="authorityFile">Certificate authorities; null or empty for none.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="CryptographicException">A file holds no certificate, no key, or a key of another certificate.</exception>
    public CertificateSource(string? certificateFile, string? keyFile, string? authorityFile)
    {
        this.certificateFile = OrNull(certificateFile);
        this.keyFile = OrNull(keyFile) ?? this.certificateFile;
        this.authorityFile = OrNull(authorityFile);
        stamp = Stamp();
        (certificate, authorities) = Load();
    }

    /// <summary>The certificate with its chain; null if none is configured.</summary>
    public SslStreamCertificateContext? Certificate
    {
        get { lock (gate) return certificate; }
    }

    /// <summary>The authorities; null if none are configured.</summary>
    public X509Certificate2Collection? Authorities
    {
        get { lock (gate) return authorities; }
    }

    /// <summary>Looks at the files, and reads them if their content has changed.</summary>
    /// <param name="problem">Why changed files cannot be used; null if they can, or have not changed.</param>
    /// <returns>Whether they have changed since the last look.</returns>
    public bool Refresh(out string? problem)
    {
        problem = null;
        lock (gate)
        {
            var now = Stamp();
            if (now == stamp) return false;
            stamp = now;
            try
            {
                (certificate, authorities) = Load();
            }
            catch (Exception e) when (e is IOException or CryptographicException)
            {
                problem = e.Message;
            }
            return true;
        }
    }

    /// <summary>Whether a certificate chains up to one of the authorities. Intermediates may come with the handshake.</summary>
    /// <param name="shown">What the peer showed.</param>
    /// <param name="presented">The chain of the handshake.</param>
    public bool IsTrusted(X509Certificate? shown, X509Chain? presented) =>
        shown is X509Certificate2 peer && Authorities is { } trusted && CertificateFiles.IsTrusted(peer, presented, trusted);

    private static string? OrNull(string? path) => string.IsNullOrEmpty(path) ? null : path;

    private (SslStreamCertificateContext? Certificate, X509Certificate2Collection? Authorities) Load()
    {
        try
        {
            return (
                certificateFile is null ? null : CertificateFiles.Load(certificateFile, keyFile!),
                authorityFile is null ? null : CertificateFiles.LoadAuthorities(authorityFile));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    // By content: mounted secrets are links whose own times stay, and a restored file may be older than the one before it.
    private string Stamp()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in (string?[])[certificateFile, keyFile, authorityFile])
        {
            try
            {
                if (file is not null) hash.AppendData(SHA256.HashData(File.ReadAllBytes(file)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                hash.AppendData([0]); // not there now
            }
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
