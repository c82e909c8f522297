namespace DicomServerless.Dicom.Matching;

/// <summary>How a search's keys are to be understood (PS3.18 8.3.4).</summary>
/// <param name="EmptyValues">Whether the value <c>""</c>, two quotation marks, asks for attributes that are empty or absent (PS3.4 C.2.2.2.7).</param>
/// <param name="MultipleValues">
/// Whether values between backslashes must all be there, in any order (PS3.4 C.2.2.2.8); else they are alternatives where their VR allows.
/// </param>
/// <param name="Zone">The offset from UTC of the dates and times asked for, from (0008,0201) in the query; null if it says none.</param>
public readonly record struct MatchOptions(bool EmptyValues = false, bool MultipleValues = false, TimeSpan? Zone = null);
